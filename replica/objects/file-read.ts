import { closeSync, constants, fstatSync, openSync, read, readSync, type BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { ObjectStoreError } from './errors.ts'
import { contentETag } from './etag.ts'
import { isErrno } from './file-errors.ts'
import { HASHED_BYTES, modifiedMsOfBig, statETag } from './file-info.ts'
import type { ObjectInfo } from './object-store.ts'
import type { ByteSpan } from './range.ts'

const CHUNK_BYTES = 256 * 1024

// No link at the end of the path is followed; a FIFO in the folder must not hold the open for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const readAsync = promisify(read)

/** An object that was opened: a small one in memory, of a big one the descriptor, which the caller closes. */
export type OpenedObject =
  | { readonly info: ObjectInfo; readonly bytes: Uint8Array }
  | { readonly info: ObjectInfo; readonly fd: number }

function infoOf(key: string, stat: BigIntStats, etag: string): ObjectInfo {
  return { key, sizeBytes: Number(stat.size), modifiedMs: modifiedMsOfBig(stat), etag }
}

function shrank(path: string): ObjectStoreError {
  return new ObjectStoreError('OBJECT_UNAVAILABLE', `file became shorter while it was read: ${path}`, {
    path,
  })
}

function readWhole(fd: number, sizeBytes: number, path: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let at = 0
  while (at < sizeBytes) {
    const count = readSync(fd, bytes, at, sizeBytes - at, at)
    if (count === 0) throw shrank(path)
    at += count
  }
  return bytes
}

/** Opens the object at `path`; undefined when nothing is there, or no file. Throws raw system errors. */
export function openObject(path: string, key: string): OpenedObject | undefined {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    // ENXIO: a socket.
    if (isErrno(error, 'ENOENT', 'ENXIO')) return undefined
    throw error
  }
  let isKept = false
  try {
    const stat = fstatSync(fd, { bigint: true })
    if (!stat.isFile()) return undefined
    if (stat.size <= BigInt(HASHED_BYTES)) {
      const bytes = readWhole(fd, Number(stat.size), path)
      return { info: infoOf(key, stat, contentETag(bytes)), bytes }
    }
    isKept = true
    return { info: infoOf(key, stat, statETag(stat)), fd }
  } finally {
    if (!isKept) closeSync(fd)
  }
}

/** What `openObject` finds, and nothing left open. */
export function infoOfObject(path: string, key: string): ObjectInfo | undefined {
  const opened = openObject(path, key)
  if (opened !== undefined && 'fd' in opened) closeSync(opened.fd)
  return opened?.info
}

/** A part of an open file in chunks; closes the descriptor at the end, on an error and on `return`. */
export class FileBytes implements AsyncIterableIterator<Uint8Array> {
  readonly #fd: number
  readonly #path: string
  readonly #end: number
  readonly #signal: AbortSignal | undefined
  #at: number
  #isOpen = true
  #reading: Promise<IteratorResult<Uint8Array, undefined>> | undefined

  constructor(fd: number, path: string, span: ByteSpan, signal: AbortSignal | undefined) {
    this.#fd = fd
    this.#path = path
    this.#at = span.start
    this.#end = span.end
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#reading = this.#next()
    return this.#reading
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    // The number must not be given to another file while a read with it is under way.
    if (this.#isOpen) await this.#reading?.catch(() => {})
    this.#close()
    return { done: true, value: undefined }
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isOpen) return { done: true, value: undefined }
    try {
      this.#signal?.throwIfAborted()
      const lengthBytes = Math.min(CHUNK_BYTES, this.#end - this.#at)
      if (lengthBytes > 0) {
        const value = await this.#read(lengthBytes)
        this.#signal?.throwIfAborted()
        return { done: false, value }
      }
    } catch (error) {
      this.#close()
      throw error
    }
    this.#close()
    return { done: true, value: undefined }
  }

  async #read(lengthBytes: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(lengthBytes)
    const { bytesRead } = await readAsync(this.#fd, buffer, 0, lengthBytes, this.#at)
    if (bytesRead === 0) throw shrank(this.#path)
    this.#at += bytesRead
    return buffer.subarray(0, bytesRead)
  }

  #close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#fd)
  }
}
