import type { ByteBlock } from './byte-block.ts'
import { compressBlock, maxBlockSizeBytes } from './lz4-compress.ts'
import { decompressBlock, MALFORMED_BLOCK } from './lz4-decompress.ts'
import { xxHash32 } from './xxhash32.ts'

/**
 * LZ4 frames, one page each (LZ4 frame format 1.6).
 *
 * Written: independent blocks of at most 64 KiB, one of them, no block checksum, content checksum; the same
 * bytes in front as every LTX writer uses. Read: any frame that needs no dictionary, and exactly one of them;
 * the bytes after it are the next page and are not looked at.
 */

const MAGIC = 0x184d2204
const STORED = 0x80000000
const CHECKSUM_BYTES = 4
const BLOCK_LENGTH_BYTES = 4
const END_MARK_BYTES = 4

// Magic, FLG 0x64 (version 1, independent blocks, content checksum), BD 0x40 (64 KiB), header checksum.
const WRITTEN_HEADER: Uint8Array = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7)

// FLG byte of a frame descriptor.
const FLAG_VERSION = 0xc0
const VERSION_1 = 0x40
const FLAG_INDEPENDENT = 0x20
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_RESERVED = 0x02
const FLAG_DICTIONARY = 0x01

/** Bytes of a frame that we write around a page, besides its block. */
export const WRITTEN_FRAME_OVERHEAD_BYTES: number =
  WRITTEN_HEADER.length + BLOCK_LENGTH_BYTES + END_MARK_BYTES + CHECKSUM_BYTES

/** A reason why bytes are no LZ4 frame of one page; callers turn it into an error that says where. */
export class FrameError extends Error {
  override readonly name: string = 'FrameError'
  /** True when the frame is longer than any frame of a page of that size can be. */
  readonly oversized: boolean

  constructor(message: string, oversized: boolean = false) {
    super(message)
    this.oversized = oversized
  }
}

/** Where the one block of a simple frame is, to be copied instead of compressed again. */
export interface BlockRange {
  start: number
  end: number
}

/**
 * Longest frame of a page that is read, in bytes. The worst case of a legal frame is one block per byte of
 * the page; more than that is nonsense.
 */
export function maxFrameSizeBytes(pageSize: number): number {
  const perBlock = BLOCK_LENGTH_BYTES + CHECKSUM_BYTES + 2
  return 32 + pageSize * (perBlock + 1)
}

/**
 * Writes the frame of the first `length` bytes of `source` into `target` from `at` and returns the index
 * after it. `target` has room for {@link WRITTEN_FRAME_OVERHEAD_BYTES} and the largest block.
 */
export function compressFrame(source: ByteBlock, length: number, target: ByteBlock, at: number): number {
  const block = at + WRITTEN_HEADER.length + BLOCK_LENGTH_BYTES
  const end = compressBlock(source, length, target, block)
  return finishFrame(source, length, target, at, end - block)
}

/** As {@link compressFrame}, with a block that was compressed before: `from` up to `to` of `compressed`. */
export function wrapFrame(
  source: ByteBlock,
  length: number,
  target: ByteBlock,
  at: number,
  compressed: Uint8Array,
): number {
  target.bytes.set(compressed, at + WRITTEN_HEADER.length + BLOCK_LENGTH_BYTES)
  return finishFrame(source, length, target, at, compressed.length)
}

function finishFrame(
  source: ByteBlock,
  length: number,
  target: ByteBlock,
  at: number,
  blockSize: number,
): number {
  const { bytes, view } = target
  bytes.set(WRITTEN_HEADER, at)
  const block = at + WRITTEN_HEADER.length + BLOCK_LENGTH_BYTES
  // A block that saves nothing is stored, as the other writers do.
  const stored = blockSize >= length
  if (stored) bytes.set(source.bytes.subarray(0, length), block)
  view.setUint32(block - BLOCK_LENGTH_BYTES, stored ? (length | STORED) >>> 0 : blockSize, true)
  const end = block + (stored ? length : blockSize)
  view.setUint32(end, 0, true)
  view.setUint32(end + END_MARK_BYTES, xxHash32(source.view, 0, length), true)
  return end + END_MARK_BYTES + CHECKSUM_BYTES
}

/** The parts of a frame descriptor that reading needs. */
interface Descriptor {
  readonly sizeBytes: number
  readonly flags: number
  readonly maxBlockBytes: number
  readonly contentSize: number | undefined
}

/**
 * Length in bytes of the frame that starts at `start`, or undefined when it does not end before `end`. Looks
 * at nothing behind the frame.
 *
 * @throws FrameError as soon as the bytes cannot become a frame of one page of `pageSize`.
 */
export function frameLength(
  view: DataView,
  start: number,
  end: number,
  pageSize: number,
): number | undefined {
  const descriptor = readDescriptor(view, start, end, pageSize)
  if (descriptor === undefined) return undefined
  const limit = start + maxFrameSizeBytes(pageSize)
  let at = start + descriptor.sizeBytes
  for (;;) {
    if (at > limit) throw new FrameError('lz4 frame is too long for a page', true)
    if (at + BLOCK_LENGTH_BYTES > end) return undefined
    const word = view.getUint32(at, true)
    at += BLOCK_LENGTH_BYTES
    if (word === 0) break
    at += checkedBlockSize(word, descriptor, pageSize) + blockChecksumBytes(descriptor)
  }
  at += contentChecksumBytes(descriptor)
  return at <= end ? at - start : undefined
}

/**
 * Decompresses the complete frame from `start` up to `end` of `source` into `page`, which then holds exactly
 * `pageSize` bytes, and returns where its block is when it has just one compressed block.
 *
 * @throws FrameError for a wrong checksum, a broken block or a page of another size.
 */
export function decompressFrame(
  source: ByteBlock,
  start: number,
  end: number,
  page: ByteBlock,
  pageSize: number,
): BlockRange | undefined {
  const { view } = source
  const descriptor = readDescriptor(view, start, end, pageSize)
  if (descriptor === undefined) throw new FrameError('lz4 frame is cut off')
  let at = start + descriptor.sizeBytes
  let filled = 0
  let blocks = 0
  let only: BlockRange | undefined
  for (;;) {
    const word = view.getUint32(at, true)
    at += BLOCK_LENGTH_BYTES
    if (word === 0) break
    const size = checkedBlockSize(word, descriptor, pageSize)
    filled = readBlock(source, at, word, size, descriptor, page, filled, pageSize)
    only = (word & STORED) === 0 ? { start: at, end: at + size } : undefined
    blocks++
    at += size
    if (blockChecksumBytes(descriptor) !== 0) {
      checkSum(view.getUint32(at, true), xxHash32(view, at - size, at), 'block')
      at += CHECKSUM_BYTES
    }
  }
  if (filled !== pageSize) throw new FrameError(`lz4 frame holds ${filled} bytes, not ${pageSize}`)
  if (contentChecksumBytes(descriptor) !== 0) {
    checkSum(view.getUint32(at, true), xxHash32(page.view, 0, pageSize), 'content')
  }
  return blocks === 1 ? only : undefined
}

function readDescriptor(
  view: DataView,
  start: number,
  end: number,
  pageSize: number,
): Descriptor | undefined {
  const available = end - start
  if (available < 4) return undefined
  if (view.getUint32(start, true) !== MAGIC) throw new FrameError('no lz4 frame')
  if (available < 6) return undefined
  const flags = view.getUint8(start + 4)
  checkFlags(flags)
  const blockCode = checkedBlockCode(view.getUint8(start + 5))
  const contentBytes = (flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8
  const sizeBytes = 4 + 2 + contentBytes + 1
  if (available < sizeBytes) return undefined
  const sum = (xxHash32(view, start + 4, start + sizeBytes - 1) >>> 8) & 0xff
  if (sum !== view.getUint8(start + sizeBytes - 1)) throw new FrameError('lz4 frame descriptor is damaged')
  const contentSize = contentBytes === 0 ? undefined : Number(view.getBigUint64(start + 6, true))
  if (contentSize !== undefined && contentSize !== pageSize) {
    throw new FrameError(`lz4 frame holds ${contentSize} bytes, not ${pageSize}`)
  }
  return { sizeBytes, flags, maxBlockBytes: 2 ** (8 + 2 * blockCode), contentSize }
}

function checkFlags(flags: number): void {
  if ((flags & FLAG_VERSION) !== VERSION_1 || (flags & FLAG_RESERVED) !== 0) {
    throw new FrameError('lz4 frame of an unknown version')
  }
  if ((flags & FLAG_DICTIONARY) !== 0) throw new FrameError('lz4 frame needs a dictionary')
}

/** The block size code of a BD byte, 4 to 7: 64 KiB to 4 MiB. */
function checkedBlockCode(blockByte: number): number {
  const code = (blockByte >>> 4) & 7
  if ((blockByte & 0x8f) !== 0 || code < 4) throw new FrameError('lz4 frame of an unknown block size')
  return code
}

function checkedBlockSize(word: number, descriptor: Descriptor, pageSize: number): number {
  const size = (word & ~STORED) >>> 0
  const limit =
    (word & STORED) === 0 ? maxBlockSizeBytes(pageSize) : Math.min(pageSize, descriptor.maxBlockBytes)
  if (size > limit) throw new FrameError(`lz4 block of ${size} bytes is too long for a page`, true)
  return size
}

function blockChecksumBytes({ flags }: Descriptor): number {
  return (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES
}

function contentChecksumBytes({ flags }: Descriptor): number {
  return (flags & FLAG_CONTENT_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES
}

function readBlock(
  source: ByteBlock,
  at: number,
  word: number,
  size: number,
  descriptor: Descriptor,
  page: ByteBlock,
  filled: number,
  pageSize: number,
): number {
  if ((word & STORED) !== 0) {
    if (size > pageSize - filled) throw new FrameError('lz4 frame holds more than a page')
    page.bytes.set(source.bytes.subarray(at, at + size), filled)
    return filled + size
  }
  const history = (descriptor.flags & FLAG_INDEPENDENT) === 0 ? 0 : filled
  const end = decompressBlock(source, at, at + size, page, filled, pageSize, history)
  if (end === MALFORMED_BLOCK) throw new FrameError('lz4 block is damaged or holds more than a page')
  return end
}

function checkSum(stored: number, computed: number, what: string): void {
  if (stored !== computed) throw new FrameError(`lz4 ${what} checksum is wrong`)
}
