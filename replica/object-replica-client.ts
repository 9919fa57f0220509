import assert from 'node:assert/strict'
import { formatLTXFileName } from '../ltx/index.ts'
import {
  fingerprintOf,
  fingerprintRanges,
  isSameFingerprint,
  RecordedStream,
  type Fingerprint,
} from './body-fingerprint.ts'
import { ReplicaError } from './errors.ts'
import type { Layout } from './layout.ts'
import { listLTXFiles, withTimes } from './ltx-listing.ts'
import { isFileBody } from './objects/body.ts'
import { ObjectStoreError } from './objects/errors.ts'
import type { ObjectStore, PutBody, PutOptions } from './objects/object-store.ts'
import {
  MAX_LEVEL,
  type LTXFileID,
  type LTXFileInfo,
  type LTXFilesOptions,
  type OpenLTXFileOptions,
  type ReplicaCallOptions,
  type ReplicaClient,
  type WriteLTXFileOptions,
} from './replica-client.ts'
import { metadataOfTime } from './time-metadata.ts'

/** Keys in one call of the store's `delete`. */
const KEYS_PER_DELETE = 1000

export interface ObjectReplicaClientOptions {
  /** Closed with the client. */
  store: ObjectStore
  layout: Layout
  /** For messages: no secrets in it. */
  url: string
}

/** A replica in any object store. Where its files stand and where their times are kept is what `Layout` says. */
export class ObjectReplicaClient implements ReplicaClient {
  readonly type: string
  readonly url: string
  readonly #store: ObjectStore
  readonly #layout: Layout

  constructor(options: ObjectReplicaClientOptions) {
    this.type = options.store.type
    this.url = options.url
    this.#store = options.store
    this.#layout = options.layout
  }

  async *ltxFiles(
    level: number,
    options: LTXFilesOptions = {},
  ): AsyncGenerator<LTXFileInfo, void, undefined> {
    assertLevel(level)
    options.signal?.throwIfAborted()
    const files = listLTXFiles(this.#store, this.#layout, level, options)
    const isAccurate = options.accurateTime !== true || this.#layout.time === 'modified'
    yield* isAccurate ? files : withTimes(this.#store, files, (file) => this.#keyOf(file), options.signal)
  }

  async openLTXFile(
    file: LTXFileID,
    options: OpenLTXFileOptions = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { offset = 0, lengthBytes, signal } = options
    const range = offset === 0 && lengthBytes === undefined ? undefined : { offset, lengthBytes }
    return (await this.#store.get(this.#keyOf(file), { range, signal }))?.bytes
  }

  async writeLTXFile(file: LTXFileID, body: PutBody, options: WriteLTXFileOptions): Promise<LTXFileInfo> {
    const isStream = !(body instanceof Uint8Array) && !isFileBody(body)
    if (!isStream) return this.#write(file, body, () => fingerprintOf(body), options)
    const stream = new RecordedStream(body)
    try {
      return await this.#write(file, stream, () => stream.fingerprint(options.signal), options)
    } finally {
      stream.close()
    }
  }

  async deleteLTXFiles(files: readonly LTXFileID[], options: ReplicaCallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const keys = files.map((file) => this.#keyOf(file))
    for (let at = 0; at < keys.length; at += KEYS_PER_DELETE) {
      await this.#store.delete(keys.slice(at, at + KEYS_PER_DELETE), options)
    }
  }

  async deleteAll(options: ReplicaCallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    // From the top level down and each from its base up. A restore starts at the base of some level, and a lower level
    // never ends before a higher one: what is left restores the newest state, or has no base.
    for (let level = MAX_LEVEL; level >= 0; level--) await this.#deleteLevel(level, options)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #keyOf({ level, minTXID, maxTXID }: LTXFileID): string {
    assertLevel(level)
    return `${this.#layout.levelPrefixes[level]}${formatLTXFileName(minTXID, maxTXID)}`
  }

  #timeOptions(timestampMs: number): PutOptions {
    return this.#layout.time === 'modified'
      ? { modifiedMs: timestampMs }
      : { metadata: metadataOfTime(timestampMs) }
  }

  async #write(
    file: LTXFileID,
    body: PutBody,
    ours: () => Promise<Fingerprint>,
    { timestampMs, signal }: WriteLTXFileOptions,
  ): Promise<LTXFileInfo> {
    const key = this.#keyOf(file)
    const { level, minTXID, maxTXID } = file
    try {
      const { sizeBytes } = await this.#store.put(key, body, {
        ifNoneMatch: '*',
        ...this.#timeOptions(timestampMs),
        signal,
      })
      return { level, minTXID, maxTXID, sizeBytes, createdAtMs: timestampMs }
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'OBJECT_PRECONDITION_FAILED') throw error
      const { sizeBytes } = await this.#assertSame(file, key, await ours(), error, signal)
      return { level, minTXID, maxTXID, sizeBytes, createdAtMs: timestampMs }
    }
  }

  async #assertSame(
    file: LTXFileID,
    key: string,
    ours: Fingerprint,
    cause: ObjectStoreError,
    signal: AbortSignal | undefined,
  ): Promise<Fingerprint> {
    const theirs = await this.#fingerprintAt(key, signal)
    if (theirs !== undefined && isSameFingerprint(ours, theirs)) return ours
    const found =
      theirs === undefined ? 'a file that is gone again' : `another file of ${theirs.sizeBytes} bytes`
    throw new ReplicaError('REPLICA_FILE_CONFLICT', `${key} was taken by ${found}`, {
      hint: 'see which other process writes to this replica; if none does, start a new chain with: replicate reset',
      url: this.url,
      key,
      level: file.level,
      minTXID: file.minTXID,
      maxTXID: file.maxTXID,
      cause,
    })
  }

  async #fingerprintAt(key: string, signal: AbortSignal | undefined): Promise<Fingerprint | undefined> {
    const start = await this.#store.get(key, { range: fingerprintRanges(0).head, signal })
    if (start === undefined) return undefined
    const head = await collect(start.bytes)
    const { sizeBytes } = start.info
    const end = await this.#store.get(key, { range: fingerprintRanges(sizeBytes).tail, signal })
    return end && { sizeBytes, head, tail: await collect(end.bytes) }
  }

  async #deleteLevel(level: number, options: ReplicaCallOptions): Promise<void> {
    let files: LTXFileID[] = []
    // The base goes alone and first: what is in one call is deleted in no order.
    let most = 1
    for await (const file of this.ltxFiles(level, options)) {
      if (files.push(file) < most) continue
      await this.deleteLTXFiles(files, options)
      files = []
      most = KEYS_PER_DELETE
    }
    if (files.length > 0) await this.deleteLTXFiles(files, options)
  }
}

function assertLevel(level: number): void {
  assert(Number.isInteger(level) && level >= 0 && level <= MAX_LEVEL, `level ${level}`)
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}
