/** Why a restore was refused or failed. */
export type RestoreErrorCode =
  /** Both a TXID and a time were asked for. */
  | 'RESTORE_CONFLICTING_TARGET'
  /** The replica holds no file at all. */
  | 'RESTORE_NO_BACKUPS'
  /** That TXID is newer than the replica, or lies inside a compacted file, or its base is gone. */
  | 'RESTORE_TXID_NOT_AVAILABLE'
  /** The time is before the oldest file, or in the future. */
  | 'RESTORE_TIME_OUT_OF_RANGE'
  /** The chain of files is broken: nothing covers the TXIDs in between. */
  | 'RESTORE_GAP'
  /** A file is cut, altered or no LTX file; the cause says where. */
  | 'RESTORE_DAMAGED_FILE'
  /** The database grew by pages that no file holds. */
  | 'RESTORE_HOLE'
  /** A file's header disagrees with its name, or with the page size of the files before it. */
  | 'RESTORE_MISMATCH'
  /** SQLite's own check found the restored database damaged. Nothing was put in place. */
  | 'RESTORE_INTEGRITY_FAILED'
  /** Files kept vanishing while they were read, plan after plan. */
  | 'RESTORE_FILES_VANISH'
  /** Reading a file failed again and again without progress. */
  | 'RESTORE_READ_FAILED'
  /** Something is at the output path already. */
  | 'RESTORE_OUTPUT_EXISTS'
  /** The output path is a folder, a device, or otherwise not a place for a file. */
  | 'RESTORE_OUTPUT_NOT_A_FILE'
  /** Another connection has the database at the output path open, or a replicator is at work on it. */
  | 'RESTORE_OUTPUT_IN_USE'
  /** No database at the output path, but a `-wal`, `-shm` or `-journal` that SQLite would apply to the restored one. */
  | 'RESTORE_STALE_SIDECAR'
  /** The file system has no room for the database. */
  | 'RESTORE_NO_SPACE'
  /** The output could not be written; the cause says more. */
  | 'RESTORE_WRITE_FAILED'

/** Optional parts of a {@link RestoreError}. */
export interface RestoreErrorDetails {
  /** What to do about it. */
  hint?: string
  cause?: unknown
  /** The file of the replica, or the path on disk, that the error is about. */
  path?: string
}

/** A restore that was refused or failed. Match on `code`; the message is for people. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError'
  readonly code: RestoreErrorCode
  readonly hint?: string
  /** The file of the replica, or the path on disk, that the error is about. */
  readonly path?: string

  constructor(code: RestoreErrorCode, message: string, details: RestoreErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.hint !== undefined) this.hint = details.hint
    if (details.path !== undefined) this.path = details.path
  }
}
