/**
 * What went wrong with an LTX file, or with the way it was written or read.
 *
 * - `LTX_BAD_MAGIC`: the bytes are no LTX file.
 * - `LTX_UNSUPPORTED_VERSION`: an LTX file of layout 1 (LiteFS) or 2 (Litestream 0.5.0 test releases).
 * - `LTX_UNKNOWN_FLAGS`: header flags outside layout 3.
 * - `LTX_INVALID_PAGE_SIZE`: not a power of two from 512 to 65536.
 * - `LTX_INVALID_COMMIT`: a database size that is no unsigned 32-bit number.
 * - `LTX_INVALID_TXID`: zero, out of range, or the smallest above the largest.
 * - `LTX_INVALID_TIMESTAMP`: not a whole number of milliseconds that a number can hold.
 * - `LTX_INVALID_WAL_FIELDS`: negative, too large, or salts or a size without an offset.
 * - `LTX_INVALID_NODE_ID`: a node id that is no unsigned 64-bit number.
 * - `LTX_INVALID_RESERVED`: reserved bytes that are not exactly 20.
 * - `LTX_INVALID_PRE_APPLY_CHECKSUM`: present where it must be absent, or the reverse.
 * - `LTX_INVALID_POST_APPLY_CHECKSUM`: the same at the end of the file, or wrong for an empty database.
 * - `LTX_INVALID_PGNO`: page number 0, or no page number at all.
 * - `LTX_LOCK_PAGE`: the page that SQLite never stores.
 * - `LTX_OUT_OF_ORDER`: a page that does not follow the one before, or a snapshot that does not start with page 1.
 * - `LTX_PAGE_BEYOND_COMMIT`: a page past the size of the database.
 * - `LTX_INCOMPLETE_SNAPSHOT`: a file from TXID 1 that lacks a page.
 * - `LTX_INVALID_PAGE_FLAGS`: page flags outside layout 3.
 * - `LTX_OVERSIZED_PAYLOAD`: a compressed page longer than any page of that size can be.
 * - `LTX_CORRUPT_PAGE`: a payload that does not decompress to exactly one page.
 * - `LTX_INDEX_MISMATCH`: the page index disagrees with the pages.
 * - `LTX_TRUNCATED`: the bytes end before the file does.
 * - `LTX_TRAILING_BYTES`: bytes after the trailer.
 * - `LTX_CHECKSUM_MISMATCH`: the file checksum is wrong.
 * - `LTX_POST_APPLY_MISMATCH`: the pages of a snapshot do not add up to its database checksum.
 * - `LTX_PRE_APPLY_MISMATCH`: a file does not start from the database that the one before it left.
 * - `LTX_PAGE_SIZE_MISMATCH`: a page, or an input of a merge, of another page size.
 * - `LTX_NOT_CONTIGUOUS`: a gap between two inputs of a merge.
 * - `LTX_NO_INPUT`: a merge of nothing.
 * - `LTX_SPILL_FOLDER_NEEDED`: a merge too large for memory and no folder for its intermediate files.
 * - `LTX_CLOSED`: a call on something that has finished or failed.
 */
export type LTXErrorCode =
  | 'LTX_BAD_MAGIC'
  | 'LTX_UNSUPPORTED_VERSION'
  | 'LTX_UNKNOWN_FLAGS'
  | 'LTX_INVALID_PAGE_SIZE'
  | 'LTX_INVALID_COMMIT'
  | 'LTX_INVALID_TXID'
  | 'LTX_INVALID_TIMESTAMP'
  | 'LTX_INVALID_WAL_FIELDS'
  | 'LTX_INVALID_NODE_ID'
  | 'LTX_INVALID_RESERVED'
  | 'LTX_INVALID_PRE_APPLY_CHECKSUM'
  | 'LTX_INVALID_POST_APPLY_CHECKSUM'
  | 'LTX_INVALID_PGNO'
  | 'LTX_LOCK_PAGE'
  | 'LTX_OUT_OF_ORDER'
  | 'LTX_PAGE_BEYOND_COMMIT'
  | 'LTX_INCOMPLETE_SNAPSHOT'
  | 'LTX_INVALID_PAGE_FLAGS'
  | 'LTX_OVERSIZED_PAYLOAD'
  | 'LTX_CORRUPT_PAGE'
  | 'LTX_INDEX_MISMATCH'
  | 'LTX_TRUNCATED'
  | 'LTX_TRAILING_BYTES'
  | 'LTX_CHECKSUM_MISMATCH'
  | 'LTX_POST_APPLY_MISMATCH'
  | 'LTX_PRE_APPLY_MISMATCH'
  | 'LTX_PAGE_SIZE_MISMATCH'
  | 'LTX_NOT_CONTIGUOUS'
  | 'LTX_NO_INPUT'
  | 'LTX_SPILL_FOLDER_NEEDED'
  | 'LTX_CLOSED'

/** Where an {@link LTXError} happened, and what to do about it. */
export interface LTXErrorDetails {
  /** What an operator can try. */
  readonly hint?: string
  /** Page number concerned. */
  readonly pgno?: number
  /** Byte offset in the file of the part that is wrong. */
  readonly offset?: number
  /** Name of the input, where several are read. */
  readonly input?: string
  /** The error underneath. */
  readonly cause?: unknown
}

/** Every error of this room. Tell them apart by `code`, not by message. */
export class LTXError extends Error {
  override readonly name: string = 'LTXError'
  readonly code: LTXErrorCode
  readonly hint?: string
  readonly pgno?: number
  readonly offset?: number
  readonly input?: string

  constructor(code: LTXErrorCode, message: string, details: LTXErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.hint !== undefined) this.hint = details.hint
    if (details.pgno !== undefined) this.pgno = details.pgno
    if (details.offset !== undefined) this.offset = details.offset
    if (details.input !== undefined) this.input = details.input
  }

  /** The same error, naming the input that it came from. */
  static ofInput(input: string, error: unknown): unknown {
    if (!(error instanceof LTXError) || error.input !== undefined) return error
    return new LTXError(error.code, `${input}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.pgno === undefined ? {} : { pgno: error.pgno }),
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      input,
      cause: error,
    })
  }
}
