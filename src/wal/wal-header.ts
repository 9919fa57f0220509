import { WALError } from './errors.ts'
import { WALChecksum } from './wal-checksum.ts'

/** Size of the WAL header in bytes (SQLite file format 4.1). */
export const WAL_HEADER_BYTES = 32

/** Size of the header before each page in a WAL, in bytes (SQLite file format 4.1). */
export const WAL_FRAME_HEADER_BYTES = 24

const MAGIC_LITTLE_ENDIAN = 0x377f0682
const MAGIC_BIG_ENDIAN = 0x377f0683
const FORMAT_VERSION = 3007000

/**
 * Header of a SQLite WAL, 32 bytes, every integer big-endian (SQLite file format 4.1).
 *
 * | offset | size | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic, its last bit is `bigEndianChecksum` |
 * | 4 | 4 | version, 3007000 |
 * | 8 | 4 | `pageSize` in bytes |
 * | 12 | 4 | `checkpointSeq` |
 * | 16 | 8 | `salt1`, `salt2` |
 * | 24 | 8 | `checksum1`, `checksum2` over bytes 0 to 23, the seed of the first frame |
 */
export interface WALHeader {
  bigEndianChecksum: boolean
  pageSize: number
  checkpointSeq: number
  salt1: number
  salt2: number
  checksum1: number
  checksum2: number
}

/**
 * What the first bytes of a WAL say. `end` means that the WAL holds no data: it is shorter than a header, or its
 * header was torn while SQLite wrote it. SQLite itself reads both as an empty WAL.
 */
export type WALHeaderResult =
  | { kind: 'valid'; header: WALHeader }
  | { kind: 'end'; reason: 'short header' | 'header checksum' }

/**
 * Reads a WAL header from the first bytes of a WAL; more bytes than a header are ignored.
 *
 * Throws `WALError` with `WAL_BAD_MAGIC`, `WAL_UNSUPPORTED_VERSION` or `WAL_BAD_PAGE_SIZE`. The order of checks is
 * length, magic, checksum, version, page size.
 */
export function parseWALHeader(bytes: Uint8Array): WALHeaderResult {
  if (bytes.length < WAL_HEADER_BYTES) return { kind: 'end', reason: 'short header' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_BYTES)
  const magic = view.getUint32(0)
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) {
    throw new WALError('WAL_BAD_MAGIC', `invalid wal header magic: ${magic.toString(16).padStart(8, '0')}`, 0)
  }
  const header: WALHeader = {
    bigEndianChecksum: magic === MAGIC_BIG_ENDIAN,
    pageSize: view.getUint32(8),
    checkpointSeq: view.getUint32(12),
    salt1: view.getUint32(16),
    salt2: view.getUint32(20),
    checksum1: view.getUint32(24),
    checksum2: view.getUint32(28),
  }
  const checksum = new WALChecksum(header.bigEndianChecksum)
  checksum.update(bytes.subarray(0, 24))
  if (checksum.s0 !== header.checksum1 || checksum.s1 !== header.checksum2) {
    return { kind: 'end', reason: 'header checksum' }
  }
  const version = view.getUint32(4)
  if (version !== FORMAT_VERSION)
    throw new WALError('WAL_UNSUPPORTED_VERSION', `unsupported wal version: ${version}`, 4)
  if (!isPageSize(header.pageSize)) {
    throw new WALError('WAL_BAD_PAGE_SIZE', `invalid wal page size: ${header.pageSize}`, 8)
  }
  return { kind: 'valid', header }
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0
}
