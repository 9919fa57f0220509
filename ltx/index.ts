export { EMPTY_DATABASE_CHECKSUM, isPresentChecksum, pageChecksum, RollingChecksum } from './checksum.ts'
export type { LTXBytes } from './chunks.ts'
export { CHECKSUM_FLAG, HEADER_BYTES, HEADER_FLAG_NO_CHECKSUM, TRAILER_BYTES } from './constants.ts'
export { CRC64 } from './crc64.ts'
export { type DecodedPage, Decoder } from './decoder.ts'
export { type EncodedFile, Encoder, type EncoderOptions } from './encoder.ts'
export { LTXError, type LTXErrorCode, type LTXErrorDetails } from './errors.ts'
export { formatLTXFileName, type LTXFileName, parseLTXFileName } from './filename.ts'
export {
  createHeader,
  decodeHeader,
  encodeHeader,
  hasChecksums,
  type Header,
  type HeaderFields,
  isSnapshot,
} from './header.ts'
export { lockPgno } from './lock-page.ts'
export { mergeLTX, type MergeOptions, mergePages, type MergePagesOptions } from './merge.ts'
export type { MergedPage, MergedPages, MergeTarget } from './merge-direct.ts'
export type { ChunkSink, MergedFile } from './merge-encode.ts'
export { isContiguous, type MergeHeaderOptions } from './merge-header.ts'
export type { LTXSource } from './merge-input.ts'
export type { PagePayload } from './page-frame.ts'
export { PageReader, type RandomAccess } from './page-reader.ts'
export { formatPos, parsePos, type Pos } from './pos.ts'
export { readHeader } from './read-header.ts'
export { decodeTrailer, type Trailer } from './trailer.ts'
export { formatTXID, parseTXID, type TXID } from './txid.ts'
export { type VerifiedFile, verifyLTX } from './verify.ts'
