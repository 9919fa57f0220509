import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsync,
  fsyncSync,
  futimesSync,
  openSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { bodyChunks } from './body.ts'
import { contentETag } from './etag.ts'
import { fileError, isErrno } from './file-errors.ts'
import { HASHED_BYTES, modifiedMsOfBig, statETag, utimeOf } from './file-info.ts'
import type { ETag, PutBody } from './object-store.ts'

/** Up to this size a write does not leave the thread: the round trip would cost more than the disk. */
const SYNCHRONOUS_BYTES = 1024 * 1024

const writeAsync = promisify(write)
const fsyncAsync = promisify(fsync)

export interface TempOptions {
  mode: number
  modifiedMs?: number | undefined
  signal?: AbortSignal | undefined
}

/** A finished temporary file: durable, with its final mode and time, waiting to be given its name. */
export interface TempFile {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Of a body that was given as bytes. */
  readonly etag?: ETag
}

function writeSmall(fd: number, bytes: Uint8Array, path: string): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
  } catch (error) {
    throw fileError(error, 'write', path)
  }
}

async function writeChunk(fd: number, chunk: Uint8Array, path: string): Promise<void> {
  // Only our own calls are translated: what the body throws is the caller's, as it is.
  try {
    for (let at = 0; at < chunk.length;) at += (await writeAsync(fd, chunk, at)).bytesWritten
  } catch (error) {
    throw fileError(error, 'write', path)
  }
}

async function writeLarge(fd: number, body: PutBody, path: string, options: TempOptions): Promise<void> {
  for await (const chunk of bodyChunks(body, options.signal)) await writeChunk(fd, chunk, path)
  options.signal?.throwIfAborted()
}

function setModeAndTime(fd: number, options: TempOptions): void {
  // The mode asked for, whatever the umask.
  fchmodSync(fd, options.mode)
  if (options.modifiedMs !== undefined)
    futimesSync(fd, utimeOf(options.modifiedMs), utimeOf(options.modifiedMs))
}

function tempFile(fd: number, path: string, body: PutBody): TempFile {
  const stat = fstatSync(fd, { bigint: true })
  const known = { path, sizeBytes: Number(stat.size), modifiedMs: modifiedMsOfBig(stat) }
  if (!(body instanceof Uint8Array)) return known
  return { ...known, etag: body.length <= HASHED_BYTES ? contentETag(body) : statETag(stat) }
}

/** Removes a temporary file if it is there. A leftover is never listed, so a failure here hides no other. */
export function discardTemp(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error)) throw error
  }
}

/** Creates the file that `fillTemp` fills. Throws raw system errors: `ENOENT` says that the folder went away. */
export function openTemp(path: string, mode: number): number {
  return openSync(path, 'wx', mode)
}

async function finishTemp(fd: number, path: string, isLarge: boolean, options: TempOptions): Promise<void> {
  try {
    setModeAndTime(fd, options)
    if (isLarge) await fsyncAsync(fd)
    else fsyncSync(fd)
  } catch (error) {
    throw fileError(error, 'write', path)
  }
}

/**
 * Writes a body to an open temporary file, makes it durable and closes it. On any error the file is gone again; the
 * error is the store's, the body's own, or the reason of the abort.
 */
export async function fillTemp(
  fd: number,
  path: string,
  body: PutBody,
  options: TempOptions,
): Promise<TempFile> {
  const isLarge = !(body instanceof Uint8Array) || body.length > SYNCHRONOUS_BYTES
  try {
    if (isLarge) await writeLarge(fd, body, path, options)
    else writeSmall(fd, body, path)
    await finishTemp(fd, path, isLarge, options)
    return tempFile(fd, path, body)
  } catch (error) {
    discardTemp(path)
    throw error
  } finally {
    closeSync(fd)
  }
}
