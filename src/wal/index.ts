export { WALError, type WALErrorCode } from './errors.ts'
export { readFrameSalts, type WALSalts } from './frame-salts.ts'
export { readPageMap, readPageNumbers, type PageMap } from './page-map.ts'
export { WALChecksum } from './wal-checksum.ts'
export {
  parseWALHeader,
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  type WALHeader,
  type WALHeaderResult,
} from './wal-header.ts'
export { WALReader, type WALFrame, type WALPosition, type WALStop } from './wal-reader.ts'
export { BufferWALSource, FileWALSource, type WALSource } from './wal-source.ts'
