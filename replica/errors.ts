import type { TXID } from '../ltx/index.ts'

/**
 * Why a replica was refused.
 *
 * - `REPLICA_FILE_CONFLICT`: other bytes stand under the name of the file to write, which stay as they are. Someone else
 *   writes to this replica, or this host was set back. The operator finds out which chain is the right one.
 * - `REPLICA_UNKNOWN_SCHEME`: the URL's scheme is none of a replica. The hint has the nearest.
 * - `REPLICA_UNSUPPORTED_SCHEME`: the scheme is one of Litestream's that this version does not have.
 * - `REPLICA_BAD_URL`: the URL names no place for a replica.
 * - `REPLICA_NOT_A_FOLDER`: the path of a file replica is a file, or leads through one.
 * - `REPLICA_LISTING_UNORDERED`: the store listed files out of the order that it promises. A bug of the store.
 */
export type ReplicaErrorCode =
  | 'REPLICA_FILE_CONFLICT'
  | 'REPLICA_UNKNOWN_SCHEME'
  | 'REPLICA_UNSUPPORTED_SCHEME'
  | 'REPLICA_BAD_URL'
  | 'REPLICA_NOT_A_FOLDER'
  | 'REPLICA_LISTING_UNORDERED'

export interface ReplicaErrorOptions extends ErrorOptions {
  hint?: string | undefined
  /** The replica, without secrets. */
  url?: string | undefined
  key?: string | undefined
  path?: string | undefined
  level?: number | undefined
  minTXID?: TXID | undefined
  maxTXID?: TXID | undefined
}

/** A replica, or the URL of one, that was refused. Failures of the store below it are `ObjectStoreError`. Match `code`. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError'
  readonly code: ReplicaErrorCode
  /** What the operator can do about it: a sentence to follow `Try:`. */
  readonly hint?: string
  /** The replica, without secrets. */
  readonly url?: string
  readonly key?: string
  readonly path?: string
  readonly level?: number
  readonly minTXID?: TXID
  readonly maxTXID?: TXID

  constructor(code: ReplicaErrorCode, message: string, options: ReplicaErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    if (options.hint !== undefined) this.hint = options.hint
    if (options.url !== undefined) this.url = options.url
    if (options.key !== undefined) this.key = options.key
    if (options.path !== undefined) this.path = options.path
    if (options.level !== undefined) this.level = options.level
    if (options.minTXID !== undefined) this.minTXID = options.minTXID
    if (options.maxTXID !== undefined) this.maxTXID = options.maxTXID
  }
}
