/**
 * Why an object store refused or failed.
 *
 * - `OBJECT_PRECONDITION_FAILED`: `ifMatch` or `ifNoneMatch` did not hold; nothing was written. Read and decide again.
 * - `OBJECT_AUTH_FAILED`: the store knows us not, or does not let us. The operator gives the right.
 * - `OBJECT_RATE_LIMITED`: too many requests. Passes by itself.
 * - `OBJECT_UNSAFE_KEY`: the key could leave the root, or is a name that the store needs for itself. A bug or a hostile
 *   name; nothing was touched.
 * - `OBJECT_UNAVAILABLE`: out of reach, or failed in a way that may pass. Trying again is right.
 * - `OBJECT_NOT_A_FOLDER`: a file stands where the root, or a folder of the key, must be. The operator moves one of them.
 * - `OBJECT_IS_A_FOLDER`: a folder stands where the object must be.
 * - `OBJECT_NO_SPACE`: the disk or the quota is full. The operator makes room.
 * - `OBJECT_READ_ONLY`: the file system is mounted read-only.
 * - `OBJECT_BAD_BODY`: the body given cannot be read, or is not as long as it said.
 * - `OBJECT_UNSUPPORTED`: the store cannot do what an option asks.
 * - `OBJECT_CLOSED`: the store was closed.
 */
export type ObjectStoreErrorCode =
  | 'OBJECT_PRECONDITION_FAILED'
  | 'OBJECT_AUTH_FAILED'
  | 'OBJECT_RATE_LIMITED'
  | 'OBJECT_UNSAFE_KEY'
  | 'OBJECT_UNAVAILABLE'
  | 'OBJECT_NOT_A_FOLDER'
  | 'OBJECT_IS_A_FOLDER'
  | 'OBJECT_NO_SPACE'
  | 'OBJECT_READ_ONLY'
  | 'OBJECT_BAD_BODY'
  | 'OBJECT_UNSUPPORTED'
  | 'OBJECT_CLOSED'

export interface ObjectStoreErrorOptions extends ErrorOptions {
  key?: string | undefined
  path?: string | undefined
  hint?: string | undefined
}

const RETRYABLE: ReadonlySet<ObjectStoreErrorCode> = new Set(['OBJECT_RATE_LIMITED', 'OBJECT_UNAVAILABLE'])

/** Every failure of an object store. Match `code`. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError'
  readonly code: ObjectStoreErrorCode
  /** The key that was asked for, where it was one. */
  readonly key?: string
  /** The place on disk, where there is one. */
  readonly path?: string
  /** What the operator can do about it: a sentence to follow `Try:`. */
  readonly hint?: string
  /** It may pass by itself: the same call after a pause is right. */
  readonly retryable: boolean

  constructor(code: ObjectStoreErrorCode, message: string, options: ObjectStoreErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryable = RETRYABLE.has(code)
    if (options.key !== undefined) this.key = options.key
    if (options.path !== undefined) this.path = options.path
    if (options.hint !== undefined) this.hint = options.hint
  }
}
