import assert from 'node:assert/strict'
import { bodyChunks } from './body.ts'
import { ObjectStoreError } from './errors.ts'
import { contentETag } from './etag.ts'
import { assertKey, assertPrefix, compareKeys } from './key.ts'
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectBody,
  ObjectInfo,
  ObjectListing,
  ObjectStore,
  PutBody,
  PutOptions,
} from './object-store.ts'
import { spanOf } from './range.ts'

const CHUNK_BYTES = 256 * 1024

/** One object of a memory store. */
export interface MemoryObject {
  readonly info: ObjectInfo
  readonly bytes: Uint8Array
}

/** What a memory store holds. Stores that share one see each other's objects. */
export type MemoryObjects = Map<string, MemoryObject>

export interface MemoryObjectStoreOptions {
  /** The objects to work on; a map of its own when absent. */
  objects?: MemoryObjects
  /** Wall clock in ms since the Unix epoch. */
  now?: () => number
}

/**
 * Objects in this process's memory: the reference implementation of the seam, and a replica for tests. Nothing outlives
 * the process.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly type = 'memory'
  readonly #objects: MemoryObjects
  readonly #now: () => number
  #isClosed = false

  constructor(options: MemoryObjectStoreOptions = {}) {
    this.#objects = options.objects ?? new Map()
    this.#now = options.now ?? Date.now
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody | undefined> {
    this.#begin(options)
    assertKey(key)
    const object = this.#objects.get(key)
    if (object === undefined) return undefined
    const { start, end } = spanOf(options.range, object.info.sizeBytes)
    return { info: object.info, bytes: copies(object.bytes.subarray(start, end), options.signal) }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    this.#begin(options)
    assertKey(key)
    return this.#objects.get(key)?.info
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    this.#begin(options)
    assertKey(key)
    assert(
      options.ifMatch === undefined || options.ifNoneMatch === undefined,
      'ifMatch and ifNoneMatch together',
    )
    const bytes = await collect(body, options.signal)
    options.signal?.throwIfAborted()
    // From the check to the write nothing is awaited: that is the whole of its atomicity.
    this.#checkCondition(key, options)
    const info: ObjectInfo = {
      key,
      sizeBytes: bytes.length,
      etag: contentETag(bytes),
      modifiedMs: options.modifiedMs ?? this.#now(),
      ...(options.metadata && { metadata: lowerCaseNames(options.metadata) }),
    }
    this.#objects.set(key, { info, bytes })
    return info
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectListing, void, undefined> {
    this.#begin(options)
    assertPrefix(prefix)
    const { startAfter, signal } = options
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys)
    for (const key of keys) {
      signal?.throwIfAborted()
      if (startAfter !== undefined && compareKeys(key, startAfter) <= 0) continue
      const object = this.#objects.get(key)
      if (object !== undefined) yield object.info
    }
  }

  async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
    this.#begin(options)
    keys.forEach(assertKey)
    for (const key of keys) this.#objects.delete(key)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #begin(options: CallOptions): void {
    options.signal?.throwIfAborted()
    if (this.#isClosed) throw new ObjectStoreError('OBJECT_CLOSED', 'the memory store is closed')
  }

  #checkCondition(key: string, options: PutOptions): void {
    const etag = this.#objects.get(key)?.info.etag
    if (options.ifNoneMatch !== undefined && etag !== undefined) {
      throw new ObjectStoreError('OBJECT_PRECONDITION_FAILED', `object exists: ${key}`, { key })
    }
    if (options.ifMatch !== undefined && options.ifMatch !== etag) {
      throw new ObjectStoreError('OBJECT_PRECONDITION_FAILED', `object is not the version expected: ${key}`, {
        key,
      })
    }
  }
}

async function collect(body: PutBody, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return Uint8Array.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of bodyChunks(body, signal)) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

async function* copies(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    signal?.throwIfAborted()
    yield Uint8Array.from(bytes.subarray(at, at + CHUNK_BYTES))
  }
}

function lowerCaseNames(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]))
}
