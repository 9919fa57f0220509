/**
 * Why a WAL could not be read.
 *
 * - `WAL_BAD_MAGIC`: the first four bytes are neither `377f0682` nor `377f0683`.
 * - `WAL_UNSUPPORTED_VERSION`: a sound header of another format version than 3007000.
 * - `WAL_BAD_PAGE_SIZE`: a sound header whose page size is no power of two from 512 to 65536.
 * - `WAL_BAD_OFFSET`: a start offset that is not the start of a frame.
 * - `WAL_PREVIOUS_FRAME_MISMATCH`: the frame before a start in the middle is missing or carries other salts.
 */
export type WALErrorCode =
  | 'WAL_BAD_MAGIC'
  | 'WAL_UNSUPPORTED_VERSION'
  | 'WAL_BAD_PAGE_SIZE'
  | 'WAL_BAD_OFFSET'
  | 'WAL_PREVIOUS_FRAME_MISMATCH'

/** An error of the WAL reader. Match on `code`; the message is for people. */
export class WALError extends Error {
  override readonly name = 'WALError'
  readonly code: WALErrorCode
  /** Byte offset in the WAL that the error is about. */
  readonly offset: number

  constructor(code: WALErrorCode, message: string, offset: number) {
    super(message)
    this.code = code
    this.offset = offset
  }
}
