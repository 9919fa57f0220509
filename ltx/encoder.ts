import { OVERRUN_BYTES } from './byte-block.ts'
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
import { encodeHeader, hasChecksums, isSnapshot, type Header } from './header.ts'
import { maxBlockSizeBytes } from './lz4-compress.ts'
import {
  hashedHeaderSizeBytes,
  maxPageFrameSizeBytes,
  writePageFrame,
  type PagePayload,
} from './page-frame.ts'
import { PageIndexLog, PageIndexWriter } from './page-index-log.ts'
import { PageOrder } from './page-order.ts'
import { validatePostApplyChecksum, type Trailer } from './trailer.ts'
import { OUTPUT_BYTES, returnWorkspace, takeWorkspace, type Workspace } from './workspace.ts'

/** What an {@link Encoder} has written. */
export interface EncodedFile {
  readonly trailer: Trailer
  /** Length of the file in bytes. */
  readonly sizeBytes: number
  /** Number of pages in it. */
  readonly pages: number
}

/** How an {@link Encoder} writes. */
export interface EncoderOptions {
  /** Default `block`. */
  readonly payload?: PagePayload
}

/**
 * Writes an LTX file, synchronously and without input or output of its own (LTX v3).
 *
 * States: open (pages may come) → finishing (marker, page index, trailer go out) → closed. Anything that the
 * sink throws closes it; a page that is refused does not, and leaves no trace.
 *
 * `sink` is given consecutive pieces of the file, each valid only during the call. Memory is the output
 * buffer, one page and some two bytes per page written, whatever the size of the file.
 */
export class Encoder {
  readonly #header: Header
  readonly #sink: (chunk: Uint8Array) => void
  readonly #payload: PagePayload
  readonly #order: PageOrder
  readonly #log = new PageIndexLog()
  readonly #crc = new CRC64()
  readonly #rolling: RollingChecksum | undefined
  readonly #frameBytes: number
  readonly #space: Workspace
  readonly #page: Uint8Array
  #end = 0
  #sizeBytes = 0
  #state: 'open' | 'finishing' | 'closed' = 'open'

  /**
   * Starts a file. Nothing reaches the sink yet.
   *
   * @throws LTXError for a header that is not legal, with the codes of `encodeHeader`.
   */
  constructor(header: Header, sink: (chunk: Uint8Array) => void, options: EncoderOptions = {}) {
    const headerBytes = encodeHeader(header)
    this.#header = { ...header }
    this.#sink = sink
    this.#payload = options.payload ?? 'block'
    this.#order = new PageOrder(header)
    // Only a snapshot's database checksum can be told from its pages; others are given it.
    this.#rolling = hasChecksums(header) && isSnapshot(header) ? new RollingChecksum() : undefined
    this.#frameBytes = maxPageFrameSizeBytes(header.pageSize)
    this.#space = takeWorkspace()
    this.#page = this.#space.page.bytes.subarray(0, header.pageSize)
    this.#append(headerBytes)
  }

  /** Bytes of the file so far, those not yet given to the sink among them. */
  get sizeBytes(): number {
    return this.#sizeBytes + this.#end
  }

  /** Number of pages so far. */
  get pages(): number {
    return this.#log.pages
  }

  /** Memory of the page index so far, in bytes. */
  get indexMemoryBytes(): number {
    return this.#log.memoryBytes
  }

  /**
   * Adds a page. `data` is exactly one page and is copied. Pages ascend; those of a snapshot leave none out,
   * except the lock page.
   *
   * @throws LTXError `LTX_INVALID_PGNO`, `LTX_LOCK_PAGE`, `LTX_PAGE_BEYOND_COMMIT`, `LTX_OUT_OF_ORDER`,
   * `LTX_INCOMPLETE_SNAPSHOT`, `LTX_PAGE_SIZE_MISMATCH`, `LTX_CLOSED`.
   */
  writePage(pgno: number, data: Uint8Array): void {
    this.#write(pgno, data, undefined)
  }

  /**
   * As `writePage`, for a page that comes compressed as well: `block` is one LZ4 block that decompresses to
   * `data`, which is not checked. Saves most of the work of a merge.
   *
   * @throws LTXError as `writePage`; `LTX_OVERSIZED_PAYLOAD` for a block longer than a page can give.
   */
  writeCompressedPage(pgno: number, data: Uint8Array, block: Uint8Array): void {
    if (block.length > maxBlockSizeBytes(this.#header.pageSize)) {
      const message = `block of page ${pgno} is too long: ${block.length} bytes`
      throw new LTXError('LTX_OVERSIZED_PAYLOAD', message, { pgno })
    }
    this.#write(pgno, data, block)
  }

  /**
   * Ends the file: the rest goes to the sink, and no page can follow. `postApplyChecksum` is the database
   * checksum after the file; it is left out where checksums are off, and may be left out for a snapshot,
   * which adds it up itself.
   *
   * @throws LTXError `LTX_INCOMPLETE_SNAPSHOT`, `LTX_INVALID_POST_APPLY_CHECKSUM`, `LTX_INVALID_COMMIT`,
   * `LTX_POST_APPLY_MISMATCH` with nothing more written; `LTX_CLOSED`.
   */
  finish(postApplyChecksum?: bigint): EncodedFile {
    const steps = this.finishInSteps(postApplyChecksum)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }

  /**
   * As `finish`, giving way each time that the sink has been called, so that a sink which must wait can. The
   * index of a large database is hundreds of megabytes.
   */
  *finishInSteps(postApplyChecksum?: bigint): Generator<void, EncodedFile> {
    this.#assertOpen()
    this.#order.finish()
    const checksum = this.#postApplyChecksum(postApplyChecksum)
    this.#state = 'finishing'
    this.#append(new Uint8Array(PAGE_HEADER_BYTES))
    yield* this.#writeIndex()
    const trailer = this.#writeTrailer(checksum)
    this.#flush()
    this.#state = 'closed'
    returnWorkspace(this.#space)
    return { trailer, sizeBytes: this.#sizeBytes, pages: this.#log.pages }
  }

  #write(pgno: number, data: Uint8Array, block: Uint8Array | undefined): void {
    this.#assertOpen()
    const { pageSize } = this.#header
    if (data.length !== pageSize) {
      const message = `page ${pgno} has ${data.length} bytes, not ${pageSize}`
      throw new LTXError('LTX_PAGE_SIZE_MISMATCH', message, { pgno })
    }
    this.#order.accept(pgno)
    this.#reserve(this.#frameBytes)
    this.#page.set(data)
    this.#rolling?.toggle(pgno, this.#page)
    const start = this.#end
    const end = writePageFrame(this.#payload, pgno, this.#space.page, pageSize, this.#space.out, start, block)
    this.#crc.update(this.#space.out.bytes, start, start + hashedHeaderSizeBytes(this.#payload))
    this.#crc.update(this.#page)
    this.#log.append(pgno, end - start)
    this.#end = end
  }

  *#writeIndex(): Generator<void, void> {
    const index = new PageIndexWriter(this.#log)
    const first = this.sizeBytes
    for (;;) {
      const end = index.write(this.#space.out.bytes, this.#end)
      if (end === this.#end && end <= OUTPUT_BYTES / 2) break
      this.#crc.update(this.#space.out.bytes, this.#end, end)
      this.#end = end
      if (end > OUTPUT_BYTES / 2) {
        this.#flush()
        yield
      }
    }
    const sizeBytes = new Uint8Array(INDEX_LENGTH_BYTES)
    new DataView(sizeBytes.buffer).setBigUint64(0, BigInt(this.sizeBytes - first))
    this.#append(sizeBytes)
  }

  #writeTrailer(postApplyChecksum: bigint): Trailer {
    const bytes = new Uint8Array(TRAILER_BYTES)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, postApplyChecksum)
    const fileChecksum = this.#crc.update(bytes, 0, 8).digest() | CHECKSUM_FLAG
    view.setBigUint64(8, fileChecksum)
    this.#reserve(TRAILER_BYTES)
    this.#space.out.bytes.set(bytes, this.#end)
    this.#end += TRAILER_BYTES
    return { postApplyChecksum, fileChecksum }
  }

  #postApplyChecksum(given: bigint | undefined): bigint {
    const computed = this.#rolling?.digest() ?? 0n
    const checksum = given ?? computed
    validatePostApplyChecksum(this.#header, checksum)
    if (this.#rolling !== undefined && checksum !== computed) {
      const message = `pages add up to ${computed.toString(16)}, not ${checksum.toString(16)}`
      throw new LTXError('LTX_POST_APPLY_MISMATCH', message)
    }
    return checksum
  }

  /** Appends bytes that enter the file checksum as they are. */
  #append(bytes: Uint8Array): void {
    this.#crc.update(bytes)
    this.#reserve(HEADER_BYTES)
    this.#space.out.bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  #reserve(sizeBytes: number): void {
    if (this.#end + sizeBytes + OVERRUN_BYTES > OUTPUT_BYTES) this.#flush()
  }

  #flush(): void {
    const chunk = this.#space.out.bytes.subarray(0, this.#end)
    const state = this.#state
    this.#state = 'closed'
    this.#sink(chunk)
    this.#state = state
    this.#sizeBytes += this.#end
    this.#end = 0
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new LTXError('LTX_CLOSED', 'ltx encoder is closed')
  }
}
