import { allocateByteBlock, wrapBytes } from './byte-block.ts'
import { HEADER_BYTES, INDEX_LENGTH_BYTES, PAGE_HEADER_BYTES, TRAILER_BYTES } from './constants.ts'
import { LTXError } from './errors.ts'
import { decodeHeader, type Header } from './header.ts'
import { pageFrameLength, readPageFrame, readPageFrameHeader } from './page-frame.ts'
import { PageIndex } from './page-index.ts'
import { decodeTrailer, validatePostApplyChecksum, type Trailer } from './trailer.ts'

/** A file of which any range can be read. */
export interface RandomAccess {
  readonly sizeBytes: number
  /** The bytes of a range; fewer only where the file ends. The result belongs to the caller. */
  read(offset: number, length: number): Promise<Uint8Array>
}

// What the reference reader asks for first: the index of some 3,000 pages.
const TAIL_BYTES = 32 * 1024

// A larger index comes in pieces, so that only its compact form is held.
const INDEX_PIECE_BYTES = 1024 * 1024

const INDEX_FOOTER_BYTES = INDEX_LENGTH_BYTES + TRAILER_BYTES
const SMALLEST_FILE_BYTES = HEADER_BYTES + PAGE_HEADER_BYTES + 1 + INDEX_FOOTER_BYTES

/**
 * Reads single pages of a file through its index, without the rest. Header, trailer and index are checked when
 * it is opened, a page when it is read; **the file checksum is not**, it takes the whole file: a damaged
 * page that still decompresses to the right size goes unnoticed in a file of blocks. Some three bytes of
 * memory per page.
 */
export class PageReader {
  readonly header: Header
  readonly trailer: Trailer
  readonly #source: RandomAccess
  readonly #index: PageIndex

  private constructor(source: RandomAccess, header: Header, trailer: Trailer, index: PageIndex) {
    this.#source = source
    this.header = header
    this.trailer = trailer
    this.#index = index
  }

  /**
   * Reads header, trailer and index: one request for the last 32 KiB, one for the header unless that was the
   * whole file, more only for a larger index.
   *
   * @throws LTXError `LTX_TRUNCATED`, `LTX_INDEX_MISMATCH`, `LTX_INVALID_POST_APPLY_CHECKSUM`, the codes of
   * `decodeHeader`, and of the page order; whatever the source rejects with.
   */
  static async open(source: RandomAccess): Promise<PageReader> {
    const { sizeBytes } = source
    if (sizeBytes < SMALLEST_FILE_BYTES) {
      throw new LTXError('LTX_TRUNCATED', `ltx file is cut off: ${sizeBytes} bytes`, { offset: sizeBytes })
    }
    const tailOffset = Math.max(0, sizeBytes - TAIL_BYTES)
    const tail = await readExactly(source, tailOffset, sizeBytes - tailOffset)
    const header = decodeHeader(tailOffset === 0 ? tail : await readExactly(source, 0, HEADER_BYTES))
    const trailer = decodeTrailer(tail, tail.length - TRAILER_BYTES)
    validatePostApplyChecksum(header, trailer.postApplyChecksum)
    const index = await readIndex(source, header, tail, tailOffset)
    return new PageReader(source, header, trailer, index)
  }

  /** Number of pages in the file. */
  get pages(): number {
    return this.#index.pages
  }

  /** True when the file holds the page. */
  hasPage(pgno: number): boolean {
    return this.#index.find(pgno) !== undefined
  }

  /**
   * One page, read with one request and newly allocated; undefined when the file does not hold it.
   *
   * @throws LTXError `LTX_INDEX_MISMATCH` when another page or another length is found there, else the codes
   * of a page's payload; whatever the source rejects with.
   */
  async readPage(pgno: number): Promise<Uint8Array | undefined> {
    const entry = this.#index.find(pgno)
    if (entry === undefined) return undefined
    const { offset, sizeBytes } = entry
    const { pageSize } = this.header
    const frame = wrapBytes(await readExactly(this.#source, offset, sizeBytes))
    const header = readPageFrameHeader(frame.view, 0, offset)
    if (header?.pgno !== pgno) {
      throw mismatch(`page ${pgno} is not where the index says`, offset, pgno)
    }
    if (pageFrameLength(header, frame.view, 0, sizeBytes, pageSize, offset) !== sizeBytes) {
      throw mismatch(`page ${pgno} has another length than the index says`, offset, pgno)
    }
    const page = allocateByteBlock(pageSize)
    readPageFrame(header, frame, 0, sizeBytes, page, pageSize, offset)
    return page.bytes.subarray(0, pageSize)
  }
}

async function readIndex(
  source: RandomAccess,
  header: Header,
  tail: Uint8Array,
  tailOffset: number,
): Promise<PageIndex> {
  const footer = tail.length - INDEX_FOOTER_BYTES
  const stored = new DataView(tail.buffer, tail.byteOffset + footer, INDEX_LENGTH_BYTES).getBigUint64(0)
  const end = source.sizeBytes - INDEX_FOOTER_BYTES
  const smallestStart = HEADER_BYTES + PAGE_HEADER_BYTES
  if (stored < 1n || stored > BigInt(end - smallestStart)) {
    throw mismatch(`page index of ${stored} bytes does not fit the file`, end)
  }
  // The marker that ends the pages stands just in front.
  const start = end - Number(stored) - PAGE_HEADER_BYTES
  const index = new PageIndex(header)
  for (let at = start; at < end;) {
    const length = at >= tailOffset ? end - at : Math.min(INDEX_PIECE_BYTES, end - at)
    const piece =
      at >= tailOffset
        ? tail.subarray(at - tailOffset, at - tailOffset + length)
        : await readExactly(source, at, length)
    const skip = at === start ? checkMarker(piece, start) : 0
    index.add(piece, skip, at + skip)
    at += length
  }
  index.finish(start, end)
  return index
}

function checkMarker(piece: Uint8Array, offset: number): number {
  if (piece.length < PAGE_HEADER_BYTES || piece.subarray(0, PAGE_HEADER_BYTES).some((byte) => byte !== 0)) {
    throw mismatch('pages do not end where the index starts', offset)
  }
  return PAGE_HEADER_BYTES
}

async function readExactly(source: RandomAccess, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length)
  if (bytes.length === length) return bytes
  const message = `ltx file is cut off: ${bytes.length} of ${length} bytes at ${offset}`
  throw new LTXError('LTX_TRUNCATED', message, { offset: offset + bytes.length })
}

function mismatch(message: string, offset: number, pgno?: number): LTXError {
  return new LTXError('LTX_INDEX_MISMATCH', message, { offset, ...(pgno === undefined ? {} : { pgno }) })
}
