import { fsync, ftruncate, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { WriteBack } from '../disk/write-back.ts'
import type { PageSink } from './page-sink.ts'
import { asWriteError, type TempFile } from './temp-file.ts'

const BATCH_BYTES = 1024 * 1024
// Below this a thread-pool round trip costs more than the copy into the page cache.
const SYNC_WRITE_BYTES = 64 * 1024
const PUSH_EVERY_BYTES = 64 * 1024 * 1024

const writeAsync = promisify(write)
const fsyncAsync = promisify(fsync)
const ftruncateAsync = promisify(ftruncate)

/**
 * The database file while it is being put together: pages by position, whatever is not written reads as zeros.
 *
 * Pages that follow each other are gathered into writes of 1 MiB, one of which runs while the next is being filled;
 * never more than one, so that two writes of the same page keep their order. Now and then what was written is pushed
 * to the disk in the background, so that the last fsync has little left to wait for.
 *
 * Errors are `RestoreError` with `RESTORE_NO_SPACE` or `RESTORE_WRITE_FAILED`; one may show in a later call.
 */
export class DatabaseImage implements PageSink {
  readonly pageSize: number
  readonly #file: TempFile
  #filling = Buffer.allocUnsafe(BATCH_BYTES)
  #writing = Buffer.allocUnsafe(BATCH_BYTES)
  #firstPgno = 0
  #filledBytes = 0
  #pending: Promise<void> | undefined
  readonly #writeBack: WriteBack

  /** Builds in an open, empty file, which stays the caller's to close after {@link settle}. */
  constructor(file: TempFile, pageSize: number) {
    this.#file = file
    this.pageSize = pageSize
    this.#writeBack = new WriteBack(file.fd, PUSH_EVERY_BYTES)
  }

  writePage(pgno: number, data: Uint8Array): Promise<void> | undefined {
    const follows = this.#firstPgno + this.#filledBytes / this.pageSize === pgno
    if (follows && this.#filledBytes + this.pageSize <= BATCH_BYTES) {
      this.#append(data)
      return undefined
    }
    return this.#startRun(pgno, data)
  }

  /** Writes what is gathered, makes the file `sizeBytes` long and everything durable. */
  async finish(sizeBytes: number): Promise<void> {
    try {
      await this.#writeRun()
      await this.#pending
      await this.#writeBack.settle()
      this.#writeBack.throwIfFailed()
      await ftruncateAsync(this.#file.fd, sizeBytes)
      await fsyncAsync(this.#file.fd)
    } catch (error) {
      throw asWriteError(error, this.#file.path)
    }
  }

  /** Waits until no call on the descriptor is under way, whatever its outcome. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#pending, this.#writeBack.settle()])
  }

  #append(data: Uint8Array): void {
    this.#filling.set(data, this.#filledBytes)
    this.#filledBytes += data.length
  }

  async #startRun(pgno: number, data: Uint8Array): Promise<void> {
    try {
      await this.#writeRun()
    } catch (error) {
      throw asWriteError(error, this.#file.path)
    }
    this.#firstPgno = pgno
    this.#append(data)
  }

  async #writeRun(): Promise<void> {
    const length = this.#filledBytes
    if (length === 0) return
    const position = (this.#firstPgno - 1) * this.pageSize
    this.#filledBytes = 0
    if (this.#pending !== undefined) await this.#pending
    this.#pending = undefined
    if (length <= SYNC_WRITE_BYTES) this.#writeNow(length, position)
    else this.#writeBehind(length, position)
    this.#writeBack.wrote(length)
  }

  #writeNow(length: number, position: number): void {
    for (let done = 0; done < length;) {
      done += writeSync(this.#file.fd, this.#filling, done, length - done, position + done)
    }
  }

  #writeBehind(length: number, position: number): void {
    const batch = this.#filling
    this.#filling = this.#writing
    this.#writing = batch
    this.#pending = this.#writeAll(batch, length, position)
    // Told by the await before the next write; until then it must not count as unhandled.
    this.#pending.catch(() => {})
  }

  async #writeAll(batch: Buffer, length: number, position: number): Promise<void> {
    for (let done = 0; done < length;) {
      const { bytesWritten } = await writeAsync(this.#file.fd, batch, done, length - done, position + done)
      done += bytesWritten
    }
  }
}
