import { EMPTY_DATABASE_CHECKSUM, isPresentChecksum } from './checksum.ts'
import { MAX_UINT64, TRAILER_BYTES } from './constants.ts'
import { LTXError } from './errors.ts'
import { hasChecksums, type Header } from './header.ts'

/**
 * Trailer of an LTX file, 16 bytes big-endian (LTX v3, trailer).
 *
 * | offset | size | field |
 * |---:|---:|---|
 * | 0 | 8 | postApplyChecksum |
 * | 8 | 8 | fileChecksum |
 */
export interface Trailer {
  /** Database checksum once the file is applied; 0 where checksums are off. */
  postApplyChecksum: bigint
  /** CRC-64 of the file, its compressed payloads replaced by the pages; marked as present, never 0. */
  fileChecksum: bigint
}

/**
 * Reads a trailer that starts at `at` in `bytes`, the last 16 of a file. Not validated.
 *
 * @throws LTXError `LTX_TRUNCATED`.
 */
export function decodeTrailer(bytes: Uint8Array, at: number = 0): Trailer {
  if (bytes.length - at < TRAILER_BYTES) {
    const message = `trailer is cut off: ${bytes.length - at} of ${TRAILER_BYTES} bytes`
    throw new LTXError('LTX_TRUNCATED', message, { offset: at })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, TRAILER_BYTES)
  return { postApplyChecksum: view.getBigUint64(0), fileChecksum: view.getBigUint64(8) }
}

/**
 * Refuses a database checksum that cannot stand at the end of a file with this header.
 *
 * A file without checksums that leaves an empty database is refused as well: the format asks for 0 and for
 * the checksum of the empty database at once, so no tool writes or reads it.
 *
 * @throws LTXError `LTX_INVALID_POST_APPLY_CHECKSUM`, `LTX_INVALID_COMMIT`.
 */
export function validatePostApplyChecksum(header: Header, postApplyChecksum: bigint): void {
  if (!hasChecksums(header) && header.commit === 0) {
    throw new LTXError('LTX_INVALID_COMMIT', 'a file that empties the database needs checksums: commit 0')
  }
  if (!isLegal(header, postApplyChecksum)) {
    const text = postApplyChecksum.toString(16).padStart(16, '0')
    throw new LTXError('LTX_INVALID_POST_APPLY_CHECKSUM', `invalid post-apply checksum ${text}`)
  }
}

function isLegal(header: Header, postApplyChecksum: bigint): boolean {
  if (!hasChecksums(header)) return postApplyChecksum === 0n
  if (header.commit === 0) return postApplyChecksum === EMPTY_DATABASE_CHECKSUM
  return isPresentChecksum(postApplyChecksum) && postApplyChecksum <= MAX_UINT64
}
