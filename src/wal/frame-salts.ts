import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES } from './wal-header.ts'
import type { WALSource } from './wal-source.ts'

/** The two salts that the frames of one WAL generation carry, u32 each. */
export interface WALSalts {
  salt1: number
  salt2: number
}

/**
 * Lists the distinct salts of all frame headers in a WAL, in order of first appearance, without any checksum test.
 * Shows which generations have left frames; a generation that was wholly overwritten does not show.
 */
export function readFrameSalts(source: WALSource, pageSize: number): WALSalts[] {
  const found = new Map<string, WALSalts>()
  const bytes = new Uint8Array(WAL_FRAME_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const frameBytes = WAL_FRAME_HEADER_BYTES + pageSize
  for (let at = WAL_HEADER_BYTES; source.readInto(at, bytes) === bytes.length; at += frameBytes) {
    const salts = { salt1: view.getUint32(8), salt2: view.getUint32(12) }
    const key = `${salts.salt1}/${salts.salt2}`
    if (!found.has(key)) found.set(key, salts)
  }
  return [...found.values()]
}
