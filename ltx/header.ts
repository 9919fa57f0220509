import {
  HEADER_FLAG_NO_CHECKSUM,
  HEADER_BYTES,
  MAGIC,
  MAX_PAGE_SIZE_BYTES,
  MAX_UINT64,
  MIN_PAGE_SIZE_BYTES,
  RESERVED_BYTES,
} from './constants.ts'
import { isPresentChecksum } from './checksum.ts'
import { LTXError } from './errors.ts'
import type { TXID } from './txid.ts'

/**
 * Header of an LTX file, 100 bytes big-endian (LTX v3, header).
 *
 * | offset | size | field |
 * |---:|---:|---|
 * | 0 | 4 | magic `LTX1` |
 * | 4 | 4 | flags |
 * | 8 | 4 | pageSize |
 * | 12 | 4 | commit |
 * | 16 | 8 | minTXID |
 * | 24 | 8 | maxTXID |
 * | 32 | 8 | timestamp, signed |
 * | 40 | 8 | preApplyChecksum |
 * | 48 | 8 | walOffset, signed |
 * | 56 | 8 | walSize, signed |
 * | 64 | 4 | walSalt1 |
 * | 68 | 4 | walSalt2 |
 * | 72 | 8 | nodeID |
 * | 80 | 20 | reserved |
 */
export interface Header {
  /** 0, or {@link HEADER_FLAG_NO_CHECKSUM}. */
  flags: number
  /** Page size of the database in bytes. */
  pageSize: number
  /** Size of the database in pages once the file is applied; 0 when the database was deleted. */
  commit: number
  /** First transaction in the file; a file from 1 is a snapshot and holds every page. */
  minTXID: TXID
  /** Last transaction in the file. */
  maxTXID: TXID
  /** Time of the last transaction, ms since the epoch. */
  timestampMs: number
  /** Database checksum before the file; 0 in snapshots and where checksums are off. */
  preApplyChecksum: bigint
  /** Byte offset in the WAL where the copied range starts; 0 when not from a WAL. */
  walOffset: number
  /** Bytes copied from the WAL. */
  walSize: number
  /** First salt of the WAL. */
  walSalt1: number
  /** Second salt of the WAL. */
  walSalt2: number
  /** Id of the writing node, unsigned 64 bits; 0 in everything Litestream writes. */
  nodeID: bigint
  /** 20 bytes, kept verbatim. */
  reserved: Uint8Array
}

/** The fields of a {@link Header} that have no default. */
export type HeaderFields = Pick<Header, 'pageSize' | 'commit' | 'minTXID' | 'maxTXID' | 'timestampMs'> &
  Partial<Header>

/** A header with the fields given, checksums off, and zero everywhere else. Not validated. */
export function createHeader(fields: HeaderFields): Header {
  return {
    flags: HEADER_FLAG_NO_CHECKSUM,
    preApplyChecksum: 0n,
    walOffset: 0,
    walSize: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeID: 0n,
    reserved: new Uint8Array(RESERVED_BYTES),
    ...fields,
  }
}

/** True when the file starts at the first transaction and so holds the whole database (LTX v3, header). */
export function isSnapshot(header: Header): boolean {
  return header.minTXID === 1n
}

/** True when the file carries database checksums. */
export function hasChecksums(header: Header): boolean {
  return (header.flags & HEADER_FLAG_NO_CHECKSUM) === 0
}

/**
 * The 100 bytes of a header, newly allocated.
 *
 * @throws LTXError by the field that is wrong: `LTX_UNKNOWN_FLAGS`, `LTX_INVALID_PAGE_SIZE`, `LTX_INVALID_COMMIT`,
 * `LTX_INVALID_TXID`, `LTX_INVALID_TIMESTAMP`, `LTX_INVALID_WAL_FIELDS`, `LTX_INVALID_NODE_ID`,
 * `LTX_INVALID_RESERVED`, `LTX_INVALID_PRE_APPLY_CHECKSUM`.
 */
export function encodeHeader(header: Header): Uint8Array {
  validateHeader(header)
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint32(4, header.flags)
  view.setUint32(8, header.pageSize)
  view.setUint32(12, header.commit)
  view.setBigUint64(16, header.minTXID)
  view.setBigUint64(24, header.maxTXID)
  view.setBigInt64(32, BigInt(header.timestampMs))
  view.setBigUint64(40, header.preApplyChecksum)
  view.setBigInt64(48, BigInt(header.walOffset))
  view.setBigInt64(56, BigInt(header.walSize))
  view.setUint32(64, header.walSalt1)
  view.setUint32(68, header.walSalt2)
  view.setBigUint64(72, header.nodeID)
  bytes.set(header.reserved, 80)
  return bytes
}

/**
 * The header in the first 100 of `bytes`; what follows is not looked at, and nothing of `bytes` is kept.
 *
 * @throws LTXError `LTX_TRUNCATED`, `LTX_BAD_MAGIC`, `LTX_UNSUPPORTED_VERSION` for a compressed LiteFS file,
 * else the codes of {@link encodeHeader}.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_BYTES) {
    throw new LTXError('LTX_TRUNCATED', `header is cut off: ${bytes.length} of ${HEADER_BYTES} bytes`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  checkMagic(view.getUint32(0))
  const header: Header = {
    flags: view.getUint32(4),
    pageSize: view.getUint32(8),
    commit: view.getUint32(12),
    minTXID: view.getBigUint64(16),
    maxTXID: view.getBigUint64(24),
    timestampMs: Number(view.getBigInt64(32)),
    preApplyChecksum: view.getBigUint64(40),
    walOffset: Number(view.getBigInt64(48)),
    walSize: Number(view.getBigInt64(56)),
    walSalt1: view.getUint32(64),
    walSalt2: view.getUint32(68),
    nodeID: view.getBigUint64(72),
    reserved: Uint8Array.from(bytes.subarray(80, HEADER_BYTES)),
  }
  checkVersion(header.flags)
  validateHeader(header)
  return header
}

function checkMagic(magic: number): void {
  if (magic !== MAGIC) {
    throw new LTXError('LTX_BAD_MAGIC', `not an ltx file: it starts with 0x${hex32(magic)}`, { offset: 0 })
  }
}

function checkVersion(flags: number): void {
  // Bit 0 said "all pages in one LZ4 frame" in layout 1; layout 3 took it out of use.
  if ((flags & 1) !== 0) {
    throw new LTXError('LTX_UNSUPPORTED_VERSION', 'ltx layout 1 (LiteFS, compressed) is not read', {
      hint: 'files of LiteFS and of Litestream before 0.5.0 are not supported',
      offset: 4,
    })
  }
}

function validateHeader(header: Header): void {
  if ((header.flags & ~HEADER_FLAG_NO_CHECKSUM) !== 0) {
    throw new LTXError('LTX_UNKNOWN_FLAGS', `unknown header flags 0x${hex32(header.flags)}`, { offset: 4 })
  }
  validatePageSize(header.pageSize)
  if (!isUint32(header.commit)) {
    throw new LTXError('LTX_INVALID_COMMIT', `invalid commit ${header.commit}`, { offset: 12 })
  }
  validateTXIDs(header)
  if (!Number.isSafeInteger(header.timestampMs)) {
    throw new LTXError('LTX_INVALID_TIMESTAMP', `invalid timestamp ${header.timestampMs}`, { offset: 32 })
  }
  validateWALFields(header)
  if (header.nodeID < 0n || header.nodeID > MAX_UINT64) {
    throw new LTXError('LTX_INVALID_NODE_ID', `invalid node id ${header.nodeID}`, { offset: 72 })
  }
  if (header.reserved.length !== RESERVED_BYTES) {
    throw new LTXError('LTX_INVALID_RESERVED', `invalid reserved bytes: ${header.reserved.length} of 20`, {
      offset: 80,
    })
  }
  validatePreApplyChecksum(header)
}

function validatePageSize(pageSize: number): void {
  const legal =
    pageSize >= MIN_PAGE_SIZE_BYTES &&
    pageSize <= MAX_PAGE_SIZE_BYTES &&
    Number.isInteger(pageSize) &&
    (pageSize & (pageSize - 1)) === 0
  if (!legal) throw new LTXError('LTX_INVALID_PAGE_SIZE', `invalid page size ${pageSize}`, { offset: 8 })
}

function validateTXIDs({ minTXID, maxTXID }: Header): void {
  if (minTXID < 1n || maxTXID > MAX_UINT64 || minTXID > maxTXID) {
    throw new LTXError('LTX_INVALID_TXID', `txid range is no range: ${minTXID} to ${maxTXID}`, { offset: 16 })
  }
}

function validateWALFields({ walOffset, walSize, walSalt1, walSalt2 }: Header): void {
  const sizes = [walOffset, walSize].every((size) => Number.isSafeInteger(size) && size >= 0)
  const source = walOffset !== 0 || (walSize === 0 && walSalt1 === 0 && walSalt2 === 0)
  if (!sizes || !source || !isUint32(walSalt1) || !isUint32(walSalt2)) {
    throw new LTXError(
      'LTX_INVALID_WAL_FIELDS',
      `invalid wal fields: offset ${walOffset}, size ${walSize}, salts ${walSalt1} ${walSalt2}`,
      { offset: 48 },
    )
  }
}

function validatePreApplyChecksum(header: Header): void {
  const { preApplyChecksum } = header
  const wanted = !isSnapshot(header) && hasChecksums(header)
  const legal = wanted
    ? isPresentChecksum(preApplyChecksum) && preApplyChecksum <= MAX_UINT64
    : preApplyChecksum === 0n
  if (!legal) {
    const text = preApplyChecksum.toString(16)
    throw new LTXError('LTX_INVALID_PRE_APPLY_CHECKSUM', `invalid pre-apply checksum ${text}`, { offset: 40 })
  }
}

function isUint32(value: number): boolean {
  return value >>> 0 === value
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}
