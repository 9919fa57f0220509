import { WALError } from './errors.ts'
import { WALChecksum } from './wal-checksum.ts'
import {
  parseWALHeader,
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  type WALHeader,
  type WALHeaderResult,
} from './wal-header.ts'
import type { WALSource } from './wal-source.ts'

// A read of this size costs little more than that of one frame; whole frames only, one at least.
const READ_AHEAD_BYTES = 256 * 1024

/** One frame of a WAL, without its page. The reader reuses the object: copy what must outlive the next `next()`. */
export interface WALFrame {
  /** Number of the frame in the WAL, from 0. */
  frameIndex: number
  /** Byte offset of the frame's header in the WAL. */
  offset: number
  pgno: number
  /** Size of the database in pages after this transaction if the frame ends one, else 0. */
  commit: number
  /** The stored cumulative checksum, two u32 words: the seed for what follows. */
  checksum1: number
  checksum2: number
}

/**
 * Why the walk stopped. Stale frames of an earlier generation show as `salt mismatch`; SQLite also ends at a frame
 * of page 0 (SQLite file format 4.3).
 */
export type WALStop =
  | 'end of file'
  | 'partial frame'
  | 'salt mismatch'
  | 'zero page number'
  | 'checksum mismatch'

/** Where and how to start in the middle of a WAL, all of it known from what was read of that generation before. */
export interface WALPosition {
  /** Byte offset of the first frame to read: the end of the last frame that was read. At least 32. */
  offset: number
  pageSize: number
  /** Byte order of the generation's checksums, from its header's magic. */
  bigEndianChecksum: boolean
  salt1: number
  salt2: number
  /**
   * Stored checksum of the frame before `offset` if the caller recorded it: that frame must still carry it. Without
   * it whatever that frame holds is the seed.
   */
  checksum1?: number
  checksum2?: number
}

/**
 * Walks the valid frames of one generation of a WAL (SQLite file format 4.1 to 4.3).
 *
 * States: walking, stopped. `next()` hands out frames while salts and the checksum chain hold, then returns
 * `undefined` and sets `stop`. A stop is not final: the next call reads again from `offset`, so that frames that
 * were appended, or written over stale ones, continue the walk. Nothing read ahead is kept over a stop, because
 * SQLite may have written there since.
 *
 * Says nothing about commits: a frame may belong to a transaction that never committed.
 */
export class WALReader {
  readonly pageSize: number
  /** Bytes of one frame: its header and its page. */
  readonly frameBytes: number
  /** The WAL's header where the walk starts there, else undefined. */
  readonly header: WALHeader | undefined
  /** Byte offset after the last valid frame: where the next one is expected. */
  offset: number
  /** Why the last `next()` returned undefined; undefined while walking. */
  stop: WALStop | undefined

  readonly #source: WALSource
  readonly #salt1: number
  readonly #salt2: number
  readonly #checksum: WALChecksum
  readonly #buffer: Uint8Array
  readonly #view: DataView
  readonly #frame: WALFrame = { frameIndex: -1, offset: 0, pgno: 0, commit: 0, checksum1: 0, checksum2: 0 }
  #at = 0
  #filled = 0
  #pageAt = -1

  /**
   * Starts at the first frame, or tells why the WAL holds none. Throws as `parseWALHeader` does.
   */
  static open(source: WALSource): { reader: WALReader } | Exclude<WALHeaderResult, { kind: 'valid' }> {
    const bytes = new Uint8Array(WAL_HEADER_BYTES)
    const result = parseWALHeader(bytes.subarray(0, source.readInto(0, bytes)))
    if (result.kind === 'end') return result
    const { header } = result
    const reader = new WALReader(source, { ...header, offset: WAL_HEADER_BYTES }, header)
    reader.#checksum.seed(header.checksum1, header.checksum2)
    return { reader }
  }

  /**
   * Starts in the middle, or at the first frame of a generation whose header has to be there still. Later frames must
   * carry the position's salts, not those that the header has now: a newer generation may have overwritten it.
   *
   * Throws `WALError`: `WAL_BAD_OFFSET` for an offset between frames, `WAL_PREVIOUS_FRAME_MISMATCH` if the frame (or
   * header) before it is missing or not the position's. Errors of the source pass through as they are.
   */
  static resume(source: WALSource, position: WALPosition): WALReader {
    const reader = new WALReader(source, position, undefined)
    const framesBytes = position.offset - WAL_HEADER_BYTES
    if (framesBytes < 0 || framesBytes % reader.frameBytes !== 0) {
      throw new WALError(
        'WAL_BAD_OFFSET',
        `wal offset is not the start of a frame: ${position.offset}`,
        position.offset,
      )
    }
    const seed = framesBytes === 0 ? reader.#headerSeed(position) : reader.#previousFrameSeed(position)
    reader.#checksum.seed(seed[0], seed[1])
    return reader
  }

  private constructor(source: WALSource, position: WALPosition, header: WALHeader | undefined) {
    this.#source = source
    this.header = header
    this.pageSize = position.pageSize
    this.frameBytes = WAL_FRAME_HEADER_BYTES + position.pageSize
    this.offset = position.offset
    this.#salt1 = position.salt1
    this.#salt2 = position.salt2
    this.#checksum = new WALChecksum(position.bigEndianChecksum)
    const frames = Math.max(1, Math.floor(READ_AHEAD_BYTES / this.frameBytes))
    // Own memory, not the pool's: frames must start at multiples of four for the fast checksum.
    this.#buffer = new Uint8Array(frames * this.frameBytes)
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** The next valid frame, or undefined with `stop` set. The frame object is reused by the next call. */
  next(): WALFrame | undefined {
    this.stop = undefined
    this.#pageAt = -1
    if (this.#filled - this.#at < this.frameBytes && !this.#fill()) {
      return this.#stopAt(this.#filled === 0 ? 'end of file' : 'partial frame')
    }
    const at = this.#at
    const stop = this.#check(at)
    if (stop !== undefined) return this.#stopAt(stop)
    const frame = this.#frame
    frame.frameIndex = (this.offset - WAL_HEADER_BYTES) / this.frameBytes
    frame.offset = this.offset
    frame.pgno = this.#view.getUint32(at)
    frame.commit = this.#view.getUint32(at + 4)
    frame.checksum1 = this.#checksum.s0
    frame.checksum2 = this.#checksum.s1
    this.#pageAt = at + WAL_FRAME_HEADER_BYTES
    this.#at += this.frameBytes
    this.offset += this.frameBytes
    return frame
  }

  /** Page of the frame that the last `next()` returned: a view of the reader's memory, valid until the next `next()`. */
  page(): Uint8Array {
    if (this.#pageAt < 0) throw new RangeError('no wal frame at hand')
    return this.#buffer.subarray(this.#pageAt, this.#pageAt + this.pageSize)
  }

  #fill(): boolean {
    this.#at = 0
    this.#filled = this.#source.readInto(this.offset, this.#buffer)
    return this.#filled >= this.frameBytes
  }

  #check(at: number): WALStop | undefined {
    const view = this.#view
    if (view.getUint32(at + 8) !== this.#salt1 || view.getUint32(at + 12) !== this.#salt2)
      return 'salt mismatch'
    if (view.getUint32(at) === 0) return 'zero page number'
    const sum = this.#checksum
    const s0 = sum.s0
    const s1 = sum.s1
    sum.update(this.#buffer.subarray(at, at + 8))
    sum.update(this.#buffer.subarray(at + WAL_FRAME_HEADER_BYTES, at + this.frameBytes))
    if (view.getUint32(at + 16) === sum.s0 && view.getUint32(at + 20) === sum.s1) return undefined
    sum.seed(s0, s1)
    return 'checksum mismatch'
  }

  #stopAt(stop: WALStop): undefined {
    this.stop = stop
    this.#at = 0
    this.#filled = 0
  }

  #headerSeed(position: WALPosition): readonly [number, number] {
    const bytes = new Uint8Array(WAL_HEADER_BYTES)
    const result = parseWALHeader(bytes.subarray(0, this.#source.readInto(0, bytes)))
    if (result.kind === 'end') throw mismatch(0, result.reason)
    const { salt1, salt2, pageSize, checksum1, checksum2 } = result.header
    if (salt1 !== position.salt1 || salt2 !== position.salt2) throw mismatch(0, 'other salts in the header')
    if (pageSize !== position.pageSize) throw mismatch(0, `page size ${pageSize} in the header`)
    return [checksum1, checksum2]
  }

  #previousFrameSeed(position: WALPosition): readonly [number, number] {
    const at = position.offset - this.frameBytes
    const bytes = new Uint8Array(WAL_FRAME_HEADER_BYTES)
    if (this.#source.readInto(at, bytes) < bytes.length) throw mismatch(at, 'the wal is shorter')
    const view = new DataView(bytes.buffer)
    if (view.getUint32(8) !== position.salt1 || view.getUint32(12) !== position.salt2) {
      throw mismatch(at, 'other salts')
    }
    const seed = [view.getUint32(16), view.getUint32(20)] as const
    const { checksum1 = seed[0], checksum2 = seed[1] } = position
    if (checksum1 !== seed[0] || checksum2 !== seed[1]) throw mismatch(at, 'other checksum')
    return seed
  }
}

function mismatch(offset: number, found: string): WALError {
  return new WALError(
    'WAL_PREVIOUS_FRAME_MISMATCH',
    `previous frame mismatch at wal offset ${offset}: ${found}`,
    offset,
  )
}
