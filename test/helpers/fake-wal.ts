import type { Position } from '../../src/capture/position.ts'
import type { ChecksumWords, Salts } from '../../src/sqlite/wal-file.ts'
import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES, WALChecksum } from '../../src/wal/index.ts'

/** A frame to be written: a page full of one byte, and the size of the database when it ends a transaction. */
export interface FakeFrame {
  readonly pgno: number
  readonly fill: number
  readonly commit?: number
}

/** A WAL that was written by nobody, with salts and checksums as SQLite would have them. */
export class FakeWAL {
  readonly pageSize: number
  readonly salts: Salts
  readonly bytes: Buffer
  /** Checksum of the header, then of each frame. */
  readonly checksums: readonly ChecksumWords[]

  constructor(frames: readonly FakeFrame[], pageSize = 512, salts: Salts = { salt1: 7, salt2: 1001 }) {
    this.pageSize = pageSize
    this.salts = salts
    const sum = new WALChecksum(false)
    const header = Buffer.alloc(WAL_HEADER_BYTES)
    for (const [index, word] of [0x377f0682, 3007000, pageSize, 0, salts.salt1, salts.salt2].entries())
      header.writeUInt32BE(word, index * 4)
    sum.update(header.subarray(0, 24))
    const checksums = [writeChecksum(header, 24, sum)]
    const parts = [header]
    for (const { pgno, fill, commit } of frames) {
      const frame = Buffer.alloc(WAL_FRAME_HEADER_BYTES + pageSize, fill)
      for (const [index, word] of [pgno, commit ?? 0, salts.salt1, salts.salt2].entries())
        frame.writeUInt32BE(word, index * 4)
      sum.update(frame.subarray(0, 8))
      sum.update(frame.subarray(WAL_FRAME_HEADER_BYTES))
      checksums.push(writeChecksum(frame, 16, sum))
      parts.push(frame)
    }
    this.bytes = Buffer.concat(parts)
    this.checksums = checksums
  }

  /** The position after `frames` frames, in a database of `commit` pages. */
  positionAfter(frames: number, commit: number, bootID: Uint8Array): Position {
    const checksum = this.checksums[frames]!
    return { ...this.salts, txid: 9n, pageSize: this.pageSize, commit, frames, checksum, bootID }
  }

  /** The bytes after a new generation of `next` has overwritten the beginning of this one. */
  overwrittenBy(next: FakeWAL): Buffer {
    return Buffer.concat([next.bytes, this.bytes.subarray(next.bytes.length)])
  }
}

function writeChecksum(target: Buffer, at: number, { s0, s1 }: WALChecksum): ChecksumWords {
  target.writeUInt32BE(s0, at)
  target.writeUInt32BE(s1, at + 4)
  return { s0, s1 }
}
