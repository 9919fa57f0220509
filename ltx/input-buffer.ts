import { allocateByteBlock, type ByteBlock } from './byte-block.ts'

const FIRST_CAPACITY_BYTES = 4096

/**
 * Bytes that have arrived and are not used up yet, in one piece. Holds at most what was pushed since the
 * reader last asked for more, and one page frame.
 */
export class InputBuffer {
  #block: ByteBlock = allocateByteBlock(FIRST_CAPACITY_BYTES)
  #capacity = FIRST_CAPACITY_BYTES
  /** Index of the first unused byte. */
  start = 0
  /** Index after the last byte. */
  end = 0
  /** Offset in the file of the first unused byte. */
  offset = 0

  /** The memory that `start` and `end` are indexes of; another one after a push. */
  get block(): ByteBlock {
    return this.#block
  }

  /** Number of unused bytes. */
  get available(): number {
    return this.end - this.start
  }

  /** Copies a chunk behind the unused bytes. */
  push(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length)
    this.#block.bytes.set(chunk, this.end)
    this.end += chunk.length
  }

  /** Uses up bytes; their memory stays as it is until the next push. */
  consume(sizeBytes: number): void {
    this.start += sizeBytes
    this.offset += sizeBytes
  }

  #makeRoom(sizeBytes: number): void {
    const old = this.#block.bytes
    const unused = this.available
    if (this.end + sizeBytes <= this.#capacity) return
    if (unused + sizeBytes <= this.#capacity) {
      old.copyWithin(0, this.start, this.end)
    } else {
      this.#capacity = 2 ** Math.ceil(Math.log2(unused + sizeBytes))
      this.#block = allocateByteBlock(this.#capacity)
      this.#block.bytes.set(old.subarray(this.start, this.end))
    }
    this.start = 0
    this.end = unused
  }
}
