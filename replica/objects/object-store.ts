/**
 * Names one version of an object. Opaque: compare it with `===` and hand it back as `ifMatch`, nothing else. It is not
 * promised to be a hash of the bytes, and no two stores give the same one.
 */
export type ETag = string

/** What a listing knows about an object. */
export interface ObjectListing {
  /** The object's key, relative to the store's root. */
  readonly key: string
  readonly sizeBytes: number
  /** When the object was written, or the `modifiedMs` that it was put with: whole ms since the Unix epoch. */
  readonly modifiedMs: number
  /** Present only where the store has it for nothing. Use `head` when it is needed. */
  readonly etag?: ETag
}

/** What `get` and `head` know about an object. */
export interface ObjectInfo extends ObjectListing {
  readonly etag: ETag
  /** What the object was put with, names in lower case. Absent where the store keeps none. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * A finished file: fsynced, and never to change again. A store on the same file system may hard-link it, so the object
 * then shares the file's inode, mode and owner.
 */
export interface FileBody {
  readonly path: string
  readonly sizeBytes: number
  /** The file's modification time, where the caller knows it: spares the store a system call when it is the right one. */
  readonly modifiedMs?: number
}

/**
 * The bytes of a new object. A `Uint8Array` must not change until `put` settles. A stream is read once, each chunk is
 * used up before the next is asked for; it is not closed where it was never started.
 */
export type PutBody = Uint8Array | FileBody | AsyncIterable<Uint8Array>

/**
 * An object that is being read. `bytes` is read once; each chunk belongs to the receiver. What the store holds open for
 * it is let go at its end, when a `for await` is left, or by `bytes[Symbol.asyncIterator]().return()`: one of them must
 * happen.
 */
export interface ObjectBody {
  readonly info: ObjectInfo
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Options of every call. An abort rejects with the signal's reason itself, never wrapped. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

/** A part of an object. An offset at or beyond the end gives no bytes; a length that reaches beyond it is cut short. */
export interface ByteRange {
  /** First byte, from 0. */
  offset: number
  /** At most so many bytes; to the end when absent. */
  lengthBytes?: number | undefined
}

export interface GetOptions extends CallOptions {
  range?: ByteRange | undefined
}

export interface PutOptions extends CallOptions {
  /** Write only while the object has this ETag. Not together with `ifNoneMatch`. */
  ifMatch?: ETag | undefined
  /** Write only while there is no such object. */
  ifNoneMatch?: '*' | undefined
  /** Kept with the object. A store that keeps none refuses it with `OBJECT_UNSUPPORTED`. */
  metadata?: Readonly<Record<string, string>> | undefined
  /** The time to report as the object's own. A store that sets its own refuses it with `OBJECT_UNSUPPORTED`. */
  modifiedMs?: number | undefined
}

export interface ListOptions extends CallOptions {
  /** Only keys after this one. Any string, it need not be the key of an object. */
  startAfter?: string | undefined
}

/**
 * Objects under keys: what a folder, a bucket and a map have in common. It knows keys, bytes and ETags, and nothing of
 * what they mean.
 *
 * - An object appears whole or not at all, and when `put` resolves it is durable. Of writes to one key that race, those
 *   with a condition are atomic, between processes too.
 * - An object that is not there is `undefined`; everything that failed is an `ObjectStoreError`, or the error of the
 *   body that was given.
 * - Keys are relative, `/` between segments; `assertKey` says which are refused, before anything is touched.
 * - Key order is that of the keys' UTF-8 bytes (`compareKeys`).
 */
export interface ObjectStore extends AsyncDisposable {
  readonly type: 'file' | 'memory' | 's3'

  /** `'none'`: the store's listings come in no order, and whoever needs one sorts. Key order when absent. */
  readonly listOrder?: 'key' | 'none'

  /** Opens an object for reading. The bytes are of one version, the one that `info` names. */
  get(key: string, options?: GetOptions): Promise<ObjectBody | undefined>

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>

  /**
   * Writes an object, all of it. A condition that does not hold is `OBJECT_PRECONDITION_FAILED`, and the bytes of a
   * stream may then be unread. What comes back from a `Uint8Array` carries the new ETag; from other bodies it may not.
   */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<ObjectInfo>
  put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectListing>

  /**
   * Objects whose key begins with `prefix`, a string and not a folder: `a/b` finds `a/b`, `a/bc` and `a/b/c`. What is
   * written or deleted meanwhile may be in it or not.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectListing>

  /** Deletes objects; one that is not there is fine. After a failure some may be gone and some not. */
  delete(keys: readonly string[], options?: CallOptions): Promise<void>

  /** Lets go of what the store holds. Idempotent; bodies that are being read can still be read. */
  close(): Promise<void>
}
