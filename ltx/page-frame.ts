import type { ByteBlock } from './byte-block.ts'
import { BLOCK_SIZE_PREFIX_BYTES, PAGE_FLAG_BLOCK, PAGE_HEADER_BYTES } from './constants.ts'
import { LTXError } from './errors.ts'
import {
  compressFrame,
  decompressFrame,
  FrameError,
  frameLength,
  WRITTEN_FRAME_OVERHEAD_BYTES,
  wrapFrame,
  type BlockRange,
} from './lz4-frame.ts'
import { compressBlock, maxBlockSizeBytes } from './lz4-compress.ts'
import { decompressBlock } from './lz4-decompress.ts'

/**
 * How pages are compressed: `block`, a length and a raw LZ4 block; `frame`, an LZ4 frame, which readers older
 * than Litestream 0.5.16 need as well.
 *
 * | offset | size | field (big-endian) |
 * |---:|---:|---|
 * | 0 | 4 | pgno |
 * | 4 | 2 | page flags: 1 for a block, 0 for a frame |
 * | 6 | 4 | block only: length of the payload |
 * | 6 or 10 | | payload |
 */
export type PagePayload = 'block' | 'frame'

const BLOCK_HEADER_BYTES = PAGE_HEADER_BYTES + BLOCK_SIZE_PREFIX_BYTES

/** Longest page frame that is written for a page of that size, in bytes. */
export function maxPageFrameSizeBytes(pageSize: number): number {
  return PAGE_HEADER_BYTES + WRITTEN_FRAME_OVERHEAD_BYTES + maxBlockSizeBytes(pageSize)
}

/** Bytes of the page frame that enter the file checksum besides the page itself (LTX v3, file checksum). */
export function hashedHeaderSizeBytes(payload: PagePayload): number {
  return payload === 'block' ? BLOCK_HEADER_BYTES : PAGE_HEADER_BYTES
}

/**
 * Writes the frame of the page in `page` into `target` from `at` and returns the index after it. A `block`
 * that holds the same page compressed is taken over instead of compressing again.
 */
export function writePageFrame(
  payload: PagePayload,
  pgno: number,
  page: ByteBlock,
  pageSize: number,
  target: ByteBlock,
  at: number,
  block: Uint8Array | undefined,
): number {
  const { bytes, view } = target
  view.setUint32(at, pgno)
  view.setUint16(at + 4, payload === 'block' ? PAGE_FLAG_BLOCK : 0)
  if (payload === 'frame') {
    const start = at + PAGE_HEADER_BYTES
    return block === undefined
      ? compressFrame(page, pageSize, target, start)
      : wrapFrame(page, pageSize, target, start, block)
  }
  const start = at + BLOCK_HEADER_BYTES
  let end: number
  if (block === undefined) {
    end = compressBlock(page, pageSize, target, start)
  } else {
    bytes.set(block, start)
    end = start + block.length
  }
  view.setUint32(at + PAGE_HEADER_BYTES, end - start)
  return end
}

/** The first bytes of a page frame. */
export interface PageFrameHeader {
  readonly pgno: number
  readonly payload: PagePayload
}

/**
 * Reads the six bytes at `at`; undefined for the all-zero header that ends the pages. `offset` is that of the
 * frame in the file, for messages.
 *
 * @throws LTXError `LTX_INVALID_PGNO`, `LTX_INVALID_PAGE_FLAGS`, `LTX_UNSUPPORTED_VERSION` for what can only be
 * an older layout.
 */
export function readPageFrameHeader(view: DataView, at: number, offset: number): PageFrameHeader | undefined {
  const pgno = view.getUint32(at)
  const flags = view.getUint16(at + 4)
  if (pgno === 0) {
    if (flags === 0) return undefined
    throw new LTXError('LTX_INVALID_PGNO', 'invalid page number 0', { pgno, offset })
  }
  if ((flags & ~PAGE_FLAG_BLOCK) !== 0) throw unknownPageFlags(pgno, flags, offset)
  return { pgno, payload: flags === 0 ? 'frame' : 'block' }
}

// In the layouts before, the page or its LZ4 frame follows the page number at once, where our flags are.
const FLAGS_OF_LAYOUT_1 = 0x5351 // "SQ" of "SQLite format 3", the first page
const FLAGS_OF_LAYOUT_2 = 0x0422 // start of the magic of an LZ4 frame

function unknownPageFlags(pgno: number, flags: number, offset: number): LTXError {
  const hint = 'files of LiteFS and of Litestream before 0.5.0 are not supported'
  if (pgno === 1 && flags === FLAGS_OF_LAYOUT_1) {
    return new LTXError('LTX_UNSUPPORTED_VERSION', 'ltx layout 1 (LiteFS) is not read', {
      hint,
      pgno,
      offset,
    })
  }
  if (flags === FLAGS_OF_LAYOUT_2) {
    const message = 'ltx layout 2 (Litestream 0.5.0 test releases) is not read'
    return new LTXError('LTX_UNSUPPORTED_VERSION', message, { hint, pgno, offset })
  }
  const message = `unknown flags 0x${flags.toString(16).padStart(4, '0')} of page ${pgno}`
  return new LTXError('LTX_INVALID_PAGE_FLAGS', message, { pgno, offset })
}

/**
 * Length of the page frame at `at`, or undefined when `end` comes before its own.
 *
 * @throws LTXError `LTX_OVERSIZED_PAYLOAD`, `LTX_CORRUPT_PAGE`, before the payload itself is there.
 */
export function pageFrameLength(
  header: PageFrameHeader,
  view: DataView,
  at: number,
  end: number,
  pageSize: number,
  offset: number,
): number | undefined {
  if (header.payload === 'frame') return frameLengthOf(header, view, at, end, pageSize, offset)
  if (end - at < BLOCK_HEADER_BYTES) return undefined
  const payloadSize = view.getUint32(at + PAGE_HEADER_BYTES)
  if (payloadSize > maxBlockSizeBytes(pageSize)) {
    const message = `payload of page ${header.pgno} is too long: ${payloadSize} bytes`
    throw new LTXError('LTX_OVERSIZED_PAYLOAD', message, { pgno: header.pgno, offset })
  }
  const length = BLOCK_HEADER_BYTES + payloadSize
  return end - at < length ? undefined : length
}

function frameLengthOf(
  header: PageFrameHeader,
  view: DataView,
  at: number,
  end: number,
  pageSize: number,
  offset: number,
): number | undefined {
  try {
    const length = frameLength(view, at + PAGE_HEADER_BYTES, end, pageSize)
    return length === undefined ? undefined : PAGE_HEADER_BYTES + length
  } catch (error) {
    throw pageError(header.pgno, offset, error)
  }
}

/**
 * Decompresses the page frame of `length` bytes at `at` of `source` into `page`, which then holds exactly one
 * page, and returns where in `source` its LZ4 block is, when there is just one.
 *
 * @throws LTXError `LTX_CORRUPT_PAGE`.
 */
export function readPageFrame(
  header: PageFrameHeader,
  source: ByteBlock,
  at: number,
  length: number,
  page: ByteBlock,
  pageSize: number,
  offset: number,
): BlockRange | undefined {
  const end = at + length
  if (header.payload === 'frame') {
    try {
      return decompressFrame(source, at + PAGE_HEADER_BYTES, end, page, pageSize)
    } catch (error) {
      throw pageError(header.pgno, offset, error)
    }
  }
  const start = at + BLOCK_HEADER_BYTES
  if (decompressBlock(source, start, end, page, 0, pageSize, 0) !== pageSize) {
    const message = `page ${header.pgno} does not decompress to ${pageSize} bytes`
    throw new LTXError('LTX_CORRUPT_PAGE', message, { pgno: header.pgno, offset })
  }
  return { start, end }
}

function pageError(pgno: number, offset: number, error: unknown): unknown {
  if (!(error instanceof FrameError)) return error
  const code = error.oversized ? 'LTX_OVERSIZED_PAYLOAD' : 'LTX_CORRUPT_PAGE'
  return new LTXError(code, `page ${pgno}: ${error.message}`, { pgno, offset, cause: error })
}
