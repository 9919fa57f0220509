import { LTXError } from './errors.ts'
import type { Header } from './header.ts'
import { PageIndexLog, type PageIndexMark } from './page-index-log.ts'
import { PageOrder } from './page-order.ts'
import { MAX_UVARINT_BYTES } from './uvarint.ts'

/** Where the frame of a page is in its file. */
export interface PageIndexEntry {
  /** Offset of the frame. */
  readonly offset: number
  /** Length of the frame in bytes. */
  readonly sizeBytes: number
}

// One mark for so many pages: half a byte of memory a page, and a lookup of some microseconds.
const PAGES_PER_MARK = 256

/** A mark, and the first page after it. */
interface SkipEntry {
  readonly firstPgno: number
  readonly mark: PageIndexMark
}

/**
 * The page index of a file, read in pieces and held compactly (LTX v3, page index). Checked as it comes: pages
 * in the order that the format asks for, their frames one after the other from the end of the header.
 */
export class PageIndex {
  readonly #order: PageOrder
  readonly #log = new PageIndexLog()
  readonly #skips: SkipEntry[] = []
  readonly #entry: number[] = []
  #value = 0
  #factor = 1
  #bytesOfValue = 0
  #ended = false

  constructor(header: Header) {
    this.#order = new PageOrder(header)
  }

  /** Number of pages. */
  get pages(): number {
    return this.#log.pages
  }

  /**
   * Reads on, from `start` of `piece`, whose offset in the file is `offset`.
   *
   * @throws LTXError `LTX_INDEX_MISMATCH`, or the code of the page rule that is broken.
   */
  add(piece: Uint8Array, start: number, offset: number): void {
    for (let at = start; at < piece.length; at++) {
      if (this.#ended) throw mismatch('page index goes on after its end', offset + at - start)
      const byte = piece[at]!
      this.#value += (byte & 0x7f) * this.#factor
      this.#factor *= 128
      if (++this.#bytesOfValue > MAX_UVARINT_BYTES) {
        throw mismatch('page index holds a number that is too long', offset + at - start)
      }
      if (byte < 0x80) this.#addValue(offset + at - start)
    }
  }

  /**
   * Checks what can only be checked at the end; `framesEnd` is the offset where the frames must end, `end` that
   * of the end of the index, for messages.
   *
   * @throws LTXError `LTX_INDEX_MISMATCH`, `LTX_INCOMPLETE_SNAPSHOT`.
   */
  finish(framesEnd: number, end: number): void {
    if (!this.#ended) throw mismatch('page index has no end', end)
    if (this.#log.nextOffset !== framesEnd) throw mismatch('page index does not cover all pages', end)
    this.#order.finish()
  }

  /** Where a page is; undefined when the file does not hold it. */
  find(pgno: number): PageIndexEntry | undefined {
    const skip = this.#skipBefore(pgno)
    if (skip === undefined) return undefined
    const cursor = this.#log.readFrom(skip.mark)
    while (cursor.next() && cursor.pgno <= pgno) {
      if (cursor.pgno === pgno) return { offset: cursor.offset, sizeBytes: cursor.sizeBytes }
    }
    return undefined
  }

  #addValue(offset: number): void {
    this.#entry.push(this.#value)
    this.#value = 0
    this.#factor = 1
    this.#bytesOfValue = 0
    const [pgno, frameOffset, sizeBytes] = this.#entry
    if (pgno === 0) this.#ended = true
    if (pgno === undefined || frameOffset === undefined || sizeBytes === undefined) return
    this.#entry.length = 0
    this.#order.accept(pgno)
    if (frameOffset !== this.#log.nextOffset || sizeBytes === 0) {
      throw mismatch(`page index has page ${pgno} in the wrong place`, offset)
    }
    if (this.#log.pages % PAGES_PER_MARK === 0) this.#skips.push({ firstPgno: pgno, mark: this.#log.mark() })
    this.#log.append(pgno, sizeBytes)
  }

  /** The last skip entry whose first page is not after `pgno`. */
  #skipBefore(pgno: number): SkipEntry | undefined {
    let low = 0
    let high = this.#skips.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#skips[middle]!.firstPgno <= pgno) low = middle + 1
      else high = middle
    }
    return this.#skips[low - 1]
  }
}

function mismatch(message: string, offset: number): LTXError {
  return new LTXError('LTX_INDEX_MISMATCH', message, { offset })
}
