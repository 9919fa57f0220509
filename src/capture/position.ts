import { HEADER_FLAG_NO_CHECKSUM, type Header, type TXID } from '../../ltx/index.ts'
import { type ChecksumWords, frameBytes, type Salts } from '../sqlite/wal-file.ts'
import { WAL_HEADER_BYTES } from '../wal/index.ts'

/**
 * Where capture stands: the last file in the chain, and the place in the WAL up to which it holds everything.
 *
 * It is written into the header of each level-0 file and nowhere else. The WAL fields are Litestream's. The reserved
 * bytes are ours: a mark (80 to 83), the cumulative checksum of the last captured frame (84 to 91), which names the
 * whole history of the generation and not one page, and the boot under which it was read (92 to 99).
 */
export interface Position extends Salts {
  readonly txid: TXID
  readonly pageSize: number
  /** Size of the database in pages. */
  readonly commit: number
  /** Frames of the generation `salts` that are captured; 0 right after its header. */
  readonly frames: number
  /** Checksum of the last captured frame, or of the WAL header when there is none. */
  readonly checksum: ChecksumWords
  /** Eight bytes that name the boot of the machine. */
  readonly bootID: Uint8Array
}

const MARK = Buffer.from('RPL1')

/** What makes a level-0 file out of a {@link Position}. */
export interface PositionFile {
  readonly position: Position
  /** First transaction in the file; its last one is `position.txid`. */
  readonly minTXID: TXID
  /** First frame of the generation that the file covers. */
  readonly firstFrame: number
  /** Time of the capture, ms since the epoch. */
  readonly timestampMs: number
}

/** Header of the level-0 file that ends at `position`. */
export function positionHeader({ position, minTXID, firstFrame, timestampMs }: PositionFile): Header {
  const reserved = Buffer.alloc(20)
  MARK.copy(reserved, 0)
  reserved.writeUInt32BE(position.checksum.s0, 4)
  reserved.writeUInt32BE(position.checksum.s1, 8)
  reserved.set(position.bootID, 12)
  return {
    flags: HEADER_FLAG_NO_CHECKSUM,
    pageSize: position.pageSize,
    commit: position.commit,
    minTXID,
    maxTXID: position.txid,
    timestampMs,
    preApplyChecksum: 0n,
    walOffset: WAL_HEADER_BYTES + firstFrame * frameBytes(position.pageSize),
    walSize: (position.frames - firstFrame) * frameBytes(position.pageSize),
    walSalt1: position.salt1,
    walSalt2: position.salt2,
    nodeID: 0n,
    reserved,
  }
}

/** The position that a level-0 file ends at; undefined for a file without our mark, another tool's. */
export function positionOf(header: Header): Position | undefined {
  const reserved = Buffer.from(header.reserved)
  const walBytes = header.walOffset + header.walSize - WAL_HEADER_BYTES
  const frames = walBytes / frameBytes(header.pageSize)
  if (!reserved.subarray(0, 4).equals(MARK) || !Number.isInteger(frames) || frames < 0) return undefined
  return {
    txid: header.maxTXID,
    pageSize: header.pageSize,
    commit: header.commit,
    salt1: header.walSalt1,
    salt2: header.walSalt2,
    frames,
    checksum: { s0: reserved.readUInt32BE(4), s1: reserved.readUInt32BE(8) },
    bootID: Uint8Array.from(reserved.subarray(12)),
  }
}

/** True when both name the same frame of the same history. */
export function sameChecksum(a: ChecksumWords, b: ChecksumWords): boolean {
  return a.s0 === b.s0 && a.s1 === b.s1
}
