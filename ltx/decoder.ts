import { allocateByteBlock, type ByteBlock } from './byte-block.ts'
import { RollingChecksum } from './checksum.ts'
import {
  CHECKSUM_FLAG,
  HEADER_BYTES,
  INDEX_LENGTH_BYTES,
  PAGE_HEADER_BYTES,
  TRAILER_BYTES,
} from './constants.ts'
import { CRC64 } from './crc64.ts'
import { LTXError } from './errors.ts'
import { decodeHeader, hasChecksums, isSnapshot, type Header } from './header.ts'
import { InputBuffer } from './input-buffer.ts'
import type { BlockRange } from './lz4-frame.ts'
import {
  hashedHeaderSizeBytes,
  pageFrameLength,
  readPageFrame,
  readPageFrameHeader,
  type PageFrameHeader,
} from './page-frame.ts'
import { PageIndexLog } from './page-index-log.ts'
import { PageIndexChecker } from './page-index-checker.ts'
import { PageOrder } from './page-order.ts'
import { decodeTrailer, validatePostApplyChecksum, type Trailer } from './trailer.ts'

/** One page of a file. */
export interface DecodedPage {
  readonly pgno: number
  /** Exactly one page, valid until the next call of the decoder's `next` or `push`. */
  readonly data: Uint8Array
}

/** What only exists once the header has been read. */
interface Body {
  readonly header: Header
  readonly order: PageOrder
  readonly rolling: RollingChecksum | undefined
  readonly page: ByteBlock
  readonly data: Uint8Array
}

/**
 * Reads an LTX file, synchronously and without input or output of its own (LTX v3). Strict: it refuses
 * whatever the format forbids, also what the reference reader lets pass.
 *
 * Feed it with `push` and, after the last chunk, `end`; pull with `next` until it says `end`. States: header →
 * pages → index → trailer → ended; any error ends it for good, and every later call throws the same error.
 * **Until `next` has returned `end`, nothing that came out is verified**: the file checksum stands at the end
 * of the file. Memory is the chunks not pulled yet, one page frame and some two bytes per page.
 */
export class Decoder {
  readonly #input = new InputBuffer()
  readonly #crc = new CRC64()
  readonly #log = new PageIndexLog()
  #body: Body | undefined
  #index: PageIndexChecker | undefined
  #trailer: Trailer | undefined
  #state: 'header' | 'pages' | 'index' | 'trailer' | 'ended' = 'header'
  #block: BlockRange | undefined
  #inputEnded = false
  #failure: unknown

  /** The header, once it has been read. Not verified before the end. */
  get header(): Header | undefined {
    return this.#body?.header
  }

  /** The trailer, once everything has been read and verified. */
  get trailer(): Trailer | undefined {
    return this.#state === 'ended' ? this.#trailer : undefined
  }

  /** Number of pages read so far. */
  get pages(): number {
    return this.#log.pages
  }

  /** Number of bytes used so far; the length of the file at the end. */
  get offset(): number {
    return this.#input.offset
  }

  /**
   * Hands over the next bytes of the file, which are copied.
   *
   * @throws LTXError `LTX_CLOSED` after `end`.
   */
  push(chunk: Uint8Array): void {
    if (this.#inputEnded) throw new LTXError('LTX_CLOSED', 'ltx decoder is closed: bytes after the end')
    this.#block = undefined
    this.#input.push(chunk)
  }

  /** Says that no more bytes will come. */
  end(): void {
    this.#inputEnded = true
  }

  /**
   * The next page; `need-input` when it takes more bytes, or the word that there are none; `end` when the
   * whole file has been read and verified.
   *
   * @throws LTXError with any code that a file can deserve: those of `decodeHeader`, the page rules
   * (`LTX_INVALID_PGNO`, `LTX_LOCK_PAGE`, `LTX_PAGE_BEYOND_COMMIT`, `LTX_OUT_OF_ORDER`,
   * `LTX_INCOMPLETE_SNAPSHOT`), the payload (`LTX_INVALID_PAGE_FLAGS`, `LTX_UNSUPPORTED_VERSION`,
   * `LTX_OVERSIZED_PAYLOAD`, `LTX_CORRUPT_PAGE`), the end (`LTX_INDEX_MISMATCH`,
   * `LTX_INVALID_POST_APPLY_CHECKSUM`, `LTX_INVALID_COMMIT`, `LTX_CHECKSUM_MISMATCH`,
   * `LTX_POST_APPLY_MISMATCH`), and `LTX_TRUNCATED`, `LTX_TRAILING_BYTES`.
   */
  next(): DecodedPage | 'need-input' | 'end' {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return this.#next()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /**
   * The LZ4 block that the last page came in, valid as long as its data; undefined when it did not come in a
   * single one.
   */
  compressedPage(): Uint8Array | undefined {
    const range = this.#block
    return range === undefined ? undefined : this.#input.block.bytes.subarray(range.start, range.end)
  }

  #next(): DecodedPage | 'need-input' | 'end' {
    this.#block = undefined
    if (this.#state === 'header' && !this.#readHeader()) return this.#starved()
    if (this.#state === 'pages') {
      const page = this.#readPage()
      if (page !== 'end') return page
    }
    if (this.#state === 'index' && !this.#checkIndex()) return this.#starved()
    if (this.#state === 'trailer' && !this.#readTrailer()) return this.#starved()
    return this.#finish()
  }

  #starved(): 'need-input' {
    if (!this.#inputEnded) return 'need-input'
    const { offset, available } = this.#input
    const message = `ltx file is cut off after ${offset + available} bytes, in its ${this.#state}`
    throw new LTXError('LTX_TRUNCATED', message, { offset: offset + available })
  }

  #readHeader(): boolean {
    const input = this.#input
    if (input.available < HEADER_BYTES) return false
    const bytes = input.block.bytes.subarray(input.start, input.start + HEADER_BYTES)
    const header = decodeHeader(bytes)
    this.#crc.update(bytes)
    input.consume(HEADER_BYTES)
    const page = allocateByteBlock(header.pageSize)
    this.#body = {
      header,
      order: new PageOrder(header),
      rolling: hasChecksums(header) && isSnapshot(header) ? new RollingChecksum() : undefined,
      page,
      data: page.bytes.subarray(0, header.pageSize),
    }
    this.#state = 'pages'
    return true
  }

  #readPage(): DecodedPage | 'need-input' | 'end' {
    const input = this.#input
    if (input.available < PAGE_HEADER_BYTES) return this.#starved()
    const frame = readPageFrameHeader(input.block.view, input.start, input.offset)
    if (frame === undefined) {
      this.#endPages()
      return 'end'
    }
    return this.#readFrame(frame, this.#body!)
  }

  #readFrame(frame: PageFrameHeader, body: Body): DecodedPage | 'need-input' {
    const { block, start, end, offset } = this.#input
    const { pageSize } = body.header
    const length = pageFrameLength(frame, block.view, start, end, pageSize, offset)
    if (length === undefined) return this.#starved()
    body.order.accept(frame.pgno)
    this.#block = readPageFrame(frame, block, start, length, body.page, pageSize, offset)
    this.#crc.update(block.bytes, start, start + hashedHeaderSizeBytes(frame.payload)).update(body.data)
    body.rolling?.toggle(frame.pgno, body.data)
    this.#log.append(frame.pgno, length)
    this.#input.consume(length)
    return { pgno: frame.pgno, data: body.data }
  }

  #endPages(): void {
    const { block, start } = this.#input
    this.#body!.order.finish()
    this.#crc.update(block.bytes, start, start + PAGE_HEADER_BYTES)
    this.#input.consume(PAGE_HEADER_BYTES)
    this.#index = new PageIndexChecker(this.#log)
    this.#state = 'index'
  }

  #checkIndex(): boolean {
    const input = this.#input
    const index = this.#index!
    const { bytes } = input.block
    const used = index.check(bytes, input.start, input.end, input.offset)
    this.#crc.update(bytes, input.start, input.start + used)
    input.consume(used)
    if (!index.complete || input.available < INDEX_LENGTH_BYTES) return false
    const stored = input.block.view.getBigUint64(input.start)
    if (stored !== BigInt(index.sizeBytes)) {
      const message = `page index has ${index.sizeBytes} bytes, its size says ${stored}`
      throw new LTXError('LTX_INDEX_MISMATCH', message, { offset: input.offset })
    }
    this.#crc.update(bytes, input.start, input.start + INDEX_LENGTH_BYTES)
    input.consume(INDEX_LENGTH_BYTES)
    this.#state = 'trailer'
    return true
  }

  #readTrailer(): boolean {
    const input = this.#input
    if (input.available < TRAILER_BYTES) return false
    const { bytes } = input.block
    const trailer = decodeTrailer(bytes, input.start)
    const computed = this.#crc.update(bytes, input.start, input.start + 8).digest() | CHECKSUM_FLAG
    if (trailer.fileChecksum !== computed) {
      const message = `file checksum is ${computed.toString(16)}, the trailer says ${trailer.fileChecksum.toString(16)}`
      throw new LTXError('LTX_CHECKSUM_MISMATCH', message, { offset: input.offset + 8 })
    }
    this.#checkPostApply(trailer)
    input.consume(TRAILER_BYTES)
    this.#trailer = trailer
    this.#state = 'ended'
    return true
  }

  #checkPostApply({ postApplyChecksum }: Trailer): void {
    const { header, rolling } = this.#body!
    validatePostApplyChecksum(header, postApplyChecksum)
    const computed = rolling?.digest()
    if (computed !== undefined && computed !== postApplyChecksum) {
      const message = `pages add up to ${computed.toString(16)}, the trailer says ${postApplyChecksum.toString(16)}`
      throw new LTXError('LTX_POST_APPLY_MISMATCH', message, { offset: this.#input.offset })
    }
  }

  #finish(): 'need-input' | 'end' {
    if (this.#input.available > 0) {
      const { offset } = this.#input
      throw new LTXError('LTX_TRAILING_BYTES', `bytes after the end of the ltx file at ${offset}`, { offset })
    }
    return this.#inputEnded ? 'end' : 'need-input'
  }
}
