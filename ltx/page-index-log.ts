import { HEADER_BYTES } from './constants.ts'
import { MAX_UVARINT_BYTES, writeUvarint } from './uvarint.ts'

/** Longest entry of a page index: three numbers. */
const MAX_INDEX_ENTRY_BYTES = 3 * MAX_UVARINT_BYTES

const MAX_LOG_ENTRY_BYTES = 10
const FIRST_CHUNK_BYTES = 256
const CHUNK_GROWTH = 16
const MAX_CHUNK_BYTES = 1 << 20

interface Chunk {
  readonly bytes: Uint8Array
  used: number
}

/**
 * Which pages a file holds and how long their frames are, two bytes or so a page, outside the JavaScript heap.
 *
 * The page index can only be written, or compared, once all pages are through; as objects it would take
 * gigabytes for a large database. Frames follow each other from the end of the header, so that offsets need
 * not be kept. Entry: `size * 2`, or `size * 2 + 1` and the distance from the page before when that is not 1.
 */
export class PageIndexLog {
  readonly #chunks: Chunk[] = []
  #last: Chunk = { bytes: new Uint8Array(0), used: 0 }
  #lastPgno = 0
  #pages = 0
  #framesBytes = 0

  /** Number of pages noted. */
  get pages(): number {
    return this.#pages
  }

  /** Offset in the file where the next frame starts. */
  get nextOffset(): number {
    return HEADER_BYTES + this.#framesBytes
  }

  /** Memory taken, in bytes. */
  get memoryBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)
  }

  /** Notes the next page; `pgno` rises, `sizeBytes` is that of the whole frame. */
  append(pgno: number, sizeBytes: number): void {
    const chunk = this.#room()
    const distance = pgno - this.#lastPgno
    const next = distance === 1
    let end = writeUvarint(chunk.bytes, chunk.used, next ? sizeBytes * 2 : sizeBytes * 2 + 1)
    if (!next) end = writeUvarint(chunk.bytes, end, distance)
    chunk.used = end
    this.#lastPgno = pgno
    this.#pages++
    this.#framesBytes += sizeBytes
  }

  /** Reads the entries from the first. The log must not change meanwhile. */
  read(): PageIndexCursor {
    return new PageIndexCursor(this.#chunks)
  }

  /** The place after the last entry, from where {@link readFrom} can go on. */
  mark(): PageIndexMark {
    const chunk = Math.max(0, this.#chunks.length - 1)
    return { chunk, at: this.#last.used, pgno: this.#lastPgno, nextOffset: this.nextOffset }
  }

  /** Reads the entries from a place that {@link mark} has named. */
  readFrom(mark: PageIndexMark): PageIndexCursor {
    return new PageIndexCursor(this.#chunks, mark)
  }

  #room(): Chunk {
    const last = this.#last
    if (last.bytes.length - last.used >= MAX_LOG_ENTRY_BYTES) return last
    const size = Math.min(Math.max(last.bytes.length * CHUNK_GROWTH, FIRST_CHUNK_BYTES), MAX_CHUNK_BYTES)
    this.#last = { bytes: new Uint8Array(size), used: 0 }
    this.#chunks.push(this.#last)
    return this.#last
  }
}

/** A place between two entries of a {@link PageIndexLog}. */
export interface PageIndexMark {
  readonly chunk: number
  readonly at: number
  readonly pgno: number
  readonly nextOffset: number
}

const FIRST: PageIndexMark = { chunk: 0, at: 0, pgno: 0, nextOffset: HEADER_BYTES }

/** Goes through a {@link PageIndexLog}; the fields hold the entry that `next` went to last. */
export class PageIndexCursor {
  /** Page number of the entry. */
  pgno: number
  /** Offset of its frame in the file. */
  offset: number
  /** Length of the frame in bytes. */
  sizeBytes = 0
  readonly #chunks: readonly Chunk[]
  #chunk: number
  #at: number

  constructor(chunks: readonly Chunk[], from: PageIndexMark = FIRST) {
    this.#chunks = chunks
    this.#chunk = from.chunk
    this.#at = from.at
    this.pgno = from.pgno
    this.offset = from.nextOffset
  }

  /** Goes to the next entry; false after the last. */
  next(): boolean {
    if (!this.#hasEntry()) return false
    const head = this.#readUvarint()
    const distance = head % 2 === 0 ? 1 : this.#readUvarint()
    this.pgno += distance
    this.offset += this.sizeBytes
    this.sizeBytes = Math.floor(head / 2)
    return true
  }

  #hasEntry(): boolean {
    const chunk = this.#chunks[this.#chunk]
    if (chunk === undefined) return false
    if (this.#at < chunk.used) return true
    // Entries do not cross chunks, and the chunk after a full one is never empty.
    this.#chunk++
    this.#at = 0
    return this.#chunk < this.#chunks.length
  }

  #readUvarint(): number {
    const bytes = this.#chunks[this.#chunk]!.bytes
    let byte = bytes[this.#at++]!
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let factor = 128
    do {
      byte = bytes[this.#at++]!
      value += (byte & 0x7f) * factor
      factor *= 128
    } while (byte >= 0x80)
    return value
  }
}

/**
 * Writes the page index of a file out of its log, piece by piece (LTX v3, page index): for every page
 * number, offset and length of its frame, then 0.
 */
export class PageIndexWriter {
  readonly #cursor: PageIndexCursor
  #ended = false

  constructor(log: PageIndexLog) {
    this.#cursor = log.read()
  }

  /** Fills `target` from `at` with whole entries and returns the index after them; `at` itself when all is written. */
  write(target: Uint8Array, at: number): number {
    const cursor = this.#cursor
    let end = at
    for (const last = target.length - MAX_INDEX_ENTRY_BYTES; end <= last && !this.#ended;) {
      if (cursor.next()) {
        end = writeUvarint(target, end, cursor.pgno)
        end = writeUvarint(target, end, cursor.offset)
        end = writeUvarint(target, end, cursor.sizeBytes)
      } else {
        target[end++] = 0
        this.#ended = true
      }
    }
    return end
  }
}
