import type { ChecksumWords, Salts } from '../sqlite/wal-file.ts'
import { frameBytes, frameOffset } from '../sqlite/wal-file.ts'
import { WAL_FRAME_HEADER_BYTES, type WALSource } from '../wal/index.ts'

// One read of this size costs little more than that of a frame.
const READ_BYTES = 1 << 20

/** What a {@link FrameBatch} reads next: frames `[from, to)` of one generation, `to` being committed. */
export interface FrameRange extends Salts {
  readonly from: number
  readonly to: number
  readonly pageSize: number
}

/** A database file: fills `target` from byte `offset` on. */
export interface PageSource {
  readInto(offset: number, target: Uint8Array): void
}

/** Where a batch begins and where its pages are read from. */
export interface FrameBatchOptions {
  readonly wal: WALSource
  readonly pageSize: number
  readonly firstFrame: number
  readonly maxHeldBytes: number
  /** The database file, when it holds the newest copy of every page of the batch for as long as the batch lives. */
  readonly backfilled?: PageSource
}

interface Block {
  readonly firstFrame: number
  readonly bytes: Buffer
}

/**
 * Committed frames of one generation that are read but not yet in a file: the newest copy of each page, and the bytes
 * themselves as long as they are few.
 *
 * Up to `maxHeldBytes` the frames are kept in memory, so that the WAL may be overwritten before the batch is written.
 * Beyond it only their places are ({@link isHeld} is false), and pages are read again: from the WAL, which the pin must
 * hold until then, or, where all of them are backfilled and the pin keeps it so, from the database file.
 */
export class FrameBatch {
  readonly pageSize: number
  readonly firstFrame: number
  readonly #wal: WALSource
  readonly #backfilled: PageSource | undefined
  readonly #maxHeldBytes: number
  readonly #newest = new Map<number, number>()
  readonly #filled = new Map<number, Uint8Array>()
  readonly #blocks: Block[] = []
  readonly #page: Buffer
  #endFrame: number
  #heldBytes = 0
  #isHeld = true
  #commit = 0
  #smallestCommit = Number.POSITIVE_INFINITY
  #checksum: ChecksumWords = { s0: 0, s1: 0 }

  constructor(options: FrameBatchOptions) {
    this.#wal = options.wal
    this.#backfilled = options.backfilled
    this.pageSize = options.pageSize
    this.firstFrame = options.firstFrame
    this.#endFrame = options.firstFrame
    this.#maxHeldBytes = options.maxHeldBytes
    this.#page = Buffer.allocUnsafe(options.pageSize)
  }

  /** First frame after the batch. */
  get endFrame(): number {
    return this.#endFrame
  }

  get isEmpty(): boolean {
    return this.#endFrame === this.firstFrame && this.#filled.size === 0
  }

  /** True while every frame is in memory. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** True when pages are read from the WAL once more: it must not have been restarted by then. */
  get readsWALAgain(): boolean {
    return !this.#isHeld && this.#backfilled === undefined
  }

  get bytes(): number {
    return (this.#endFrame - this.firstFrame) * frameBytes(this.pageSize)
  }

  /** Size of the database in pages after the last commit frame. */
  get commit(): number {
    return this.#commit
  }

  /** The smallest size that the database had after any of the transactions. */
  get smallestCommit(): number {
    return this.#smallestCommit
  }

  /** Cumulative checksum stored in the last frame. */
  get checksum(): ChecksumWords {
    return this.#checksum
  }

  /** Numbers of the pages in the batch up to {@link commit}, ascending. */
  pgnos(): number[] {
    const pgnos: number[] = []
    for (const pgno of this.#newest.keys()) if (pgno <= this.#commit) pgnos.push(pgno)
    for (const pgno of this.#filled.keys()) {
      if (pgno <= this.#commit && !this.#newest.has(pgno)) pgnos.push(pgno)
    }
    return pgnos.sort((a, b) => a - b)
  }

  has(pgno: number): boolean {
    return this.#newest.has(pgno) || this.#filled.has(pgno)
  }

  /** Adds a page that has no frame in the batch; a frame of it, read before or after, wins. The batch keeps `bytes`. */
  fill(pgno: number, bytes: Uint8Array): void {
    this.#filled.set(pgno, bytes)
  }

  /** Makes the batch end at a place that was proved by other means: `endFrame` frames, of which none is read. */
  endAt(endFrame: number, checksum: ChecksumWords, commit: number): void {
    this.#endFrame = endFrame
    this.#checksum = checksum
    this.#commit = commit
  }

  /** Newest copy of a page of the batch; valid until the next call. */
  page(pgno: number): Uint8Array {
    const frame = this.#newest.get(pgno)
    if (frame === undefined) return this.#filledPage(pgno)
    if (!this.#isHeld) return this.#readAgain(pgno, frame)
    const block = this.#blockOf(frame)
    const offset = (frame - block.firstFrame) * frameBytes(this.pageSize) + WAL_FRAME_HEADER_BYTES
    return block.bytes.subarray(offset, offset + this.pageSize)
  }

  /**
   * Reads the frames of `range`, which starts where the batch ends, up to `to` or to the first commit after
   * `limitBytes`. False, and the batch as it was, when a frame is not of that generation or the last one ends no
   * transaction: the WAL was restarted while we looked.
   */
  append(range: FrameRange, limitBytes: number): boolean {
    const scan = this.#scan(range, limitBytes)
    if (scan === undefined) return false
    for (const [pgno, frame] of scan.newest) this.#newest.set(pgno, frame)
    this.#heldBytes += scan.heldBytes
    if (this.#isHeld && scan.isHeld) this.#blocks.push(...scan.blocks)
    else this.#letGo()
    this.#endFrame = scan.endFrame
    this.#commit = scan.commit
    this.#smallestCommit = Math.min(this.#smallestCommit, scan.smallestCommit)
    this.#checksum = scan.checksum
    return true
  }

  #readAgain(pgno: number, frame: number): Uint8Array {
    if (this.#backfilled !== undefined) {
      this.#backfilled.readInto((pgno - 1) * this.pageSize, this.#page)
      return this.#page
    }
    const at = frameOffset(frame, this.pageSize) + WAL_FRAME_HEADER_BYTES
    if (this.#wal.readInto(at, this.#page) < this.pageSize) throw new Error(`wal ends inside frame ${frame}`)
    return this.#page
  }

  #filledPage(pgno: number): Uint8Array {
    const bytes = this.#filled.get(pgno)
    if (bytes === undefined) throw new RangeError(`page ${pgno} is not in the batch`)
    return bytes
  }

  #letGo(): void {
    this.#isHeld = false
    this.#blocks.length = 0
  }

  #blockOf(frame: number): Block {
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index]!
      if (block.firstFrame <= frame) return block
    }
    throw new RangeError(`frame ${frame} is not in the batch`)
  }

  #scan(range: FrameRange, limitBytes: number): Scan | undefined {
    const scan = new Scan(this.#maxHeldBytes - this.#heldBytes)
    const size = frameBytes(range.pageSize)
    const framesPerRead = Math.max(1, Math.floor(READ_BYTES / size))
    for (let frame = range.from; frame < range.to; frame += framesPerRead) {
      const count = Math.min(framesPerRead, range.to - frame)
      const bytes = scan.buffer(count * size)
      if (this.#wal.readInto(frameOffset(frame, range.pageSize), bytes) < bytes.length) return undefined
      if (!scan.read(bytes, frame, count, range)) return undefined
      if ((scan.endFrame - range.from) * size >= limitBytes) return scan
    }
    return scan.endFrame === range.to ? scan : undefined
  }
}

/** One pass over frames, thrown away as a whole when it meets a frame that is not of its generation. */
class Scan {
  readonly newest = new Map<number, number>()
  readonly blocks: Block[] = []
  heldBytes = 0
  isHeld = true
  endFrame = 0
  commit = 0
  smallestCommit = Number.POSITIVE_INFINITY
  checksum: ChecksumWords = { s0: 0, s1: 0 }
  readonly #roomBytes: number
  readonly #open = new Map<number, number>()
  #scratch: Buffer | undefined

  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes
  }

  buffer(bytes: number): Buffer {
    if (this.isHeld && this.heldBytes + bytes > this.#roomBytes) {
      this.isHeld = false
      this.blocks.length = 0
    }
    if (this.isHeld) return Buffer.allocUnsafe(bytes)
    if (this.#scratch === undefined || this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafe(bytes)
    return this.#scratch.subarray(0, bytes)
  }

  read(bytes: Buffer, firstFrame: number, count: number, range: FrameRange): boolean {
    const size = frameBytes(range.pageSize)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let index = 0; index < count; index++) {
      const at = index * size
      if (view.getUint32(at + 8) !== range.salt1 || view.getUint32(at + 12) !== range.salt2) return false
      this.#open.set(view.getUint32(at), firstFrame + index)
      const commit = view.getUint32(at + 4)
      if (commit === 0) continue
      this.#commitOpen(commit, firstFrame + index + 1)
      this.checksum = { s0: view.getUint32(at + 16), s1: view.getUint32(at + 20) }
    }
    if (this.isHeld) {
      this.blocks.push({ firstFrame, bytes })
      this.heldBytes += bytes.length
    }
    return true
  }

  #commitOpen(commit: number, endFrame: number): void {
    for (const [pgno, frame] of this.#open) this.newest.set(pgno, frame)
    this.#open.clear()
    this.commit = commit
    this.smallestCommit = Math.min(this.smallestCommit, commit)
    this.endFrame = endFrame
  }
}
