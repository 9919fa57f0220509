/** Why a database cannot be replicated, or not now. */
export type DatabaseErrorCode =
  /** No file at that path. Create the database first, or restore it. */
  | 'DB_NOT_FOUND'
  /** The file is not a SQLite database, or is encrypted. */
  | 'DB_NOT_A_DATABASE'
  /** The file has no byte, and the replica has a database: most likely it is to be restored, not replicated. */
  | 'DB_EMPTY'
  /** SQLite would not leave rollback-journal mode: another process holds the file, or it lives where WAL cannot. */
  | 'DB_NOT_WAL'
  /** The file, its folder or its file system cannot be written. */
  | 'DB_READ_ONLY'
  /** The application held its lock for longer than we wait. Passing; tried again. */
  | 'DB_BUSY'
  /** Another replicator process is at work on this database. */
  | 'DB_LOCKED_BY_REPLICATOR'
  /** The replica holds other bytes under a TXID of ours: somebody else writes there. */
  | 'DB_FORKED'
  /** The replica went on past the local state: another host took over, or this disk was rolled back. */
  | 'DB_BEHIND_REPLICA'
  /** The disk is full. Passing; tried again. */
  | 'DB_NO_SPACE'
  /** A stop took longer than it may; what was captured is kept here and shipped at the next start. */
  | 'DB_CUT_SHORT'
  /** SQLite or the file system failed in a way that has no code of its own; the cause says more. */
  | 'DB_FAILED'

/** A fault of one database: what failed, where, and what to do about it. Match `code`. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode
  /** Path of the database. */
  readonly path: string
  readonly hint?: string

  constructor(
    code: DatabaseErrorCode,
    path: string,
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.path = path
    if (options.hint !== undefined) this.hint = options.hint
  }
}

/** True for faults that only an operator can mend: trying again changes nothing. */
export function isHopeless(error: unknown): boolean {
  return error instanceof DatabaseError && !['DB_BUSY', 'DB_NO_SPACE', 'DB_FAILED'].includes(error.code)
}

/** True when the file system has no room, or none for us. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL' || code === 'DB_NO_SPACE'
}

const BY_SYSTEM_CODE: Readonly<Record<string, DatabaseErrorCode>> = {
  ENOENT: 'DB_NOT_FOUND',
  EROFS: 'DB_READ_ONLY',
  EACCES: 'DB_READ_ONLY',
  EPERM: 'DB_READ_ONLY',
  ENOSPC: 'DB_NO_SPACE',
  EDQUOT: 'DB_NO_SPACE',
  SQLITE_NOTADB: 'DB_NOT_A_DATABASE',
  SQLITE_READONLY: 'DB_READ_ONLY',
  SQLITE_CANTOPEN: 'DB_READ_ONLY',
  SQLITE_BUSY: 'DB_BUSY',
  SQLITE_LOCKED: 'DB_BUSY',
  SQLITE_FULL: 'DB_NO_SPACE',
}

const HINTS: Partial<Record<DatabaseErrorCode, string>> = {
  DB_READ_ONLY:
    'the replicator writes beside the database and takes part in its locking: give it write access',
  DB_NOT_A_DATABASE: 'check the path; an encrypted database cannot be replicated',
  DB_NO_SPACE: 'free some disk space; replication goes on by itself',
  DB_BUSY: 'another process holds the database; try again when it lets go',
}

/** Wraps an error of the file system or of SQLite into a {@link DatabaseError}; one that is ours already passes. */
export function asDatabaseError(error: unknown, path: string, doing: string): DatabaseError {
  if (error instanceof DatabaseError) return error
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : ''
  const code = BY_SYSTEM_CODE[systemCode] ?? BY_SYSTEM_CODE[systemCode.split('_').slice(0, 2).join('_')]
  const hint = code === undefined ? undefined : HINTS[code]
  const reason = error instanceof Error ? error.message : String(error)
  return new DatabaseError(code ?? 'DB_FAILED', path, `${doing} failed: ${reason}: ${path}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The replica holds another history under our names. Nothing of it is overwritten, by us or by trying again. */
export function forkedError(databasePath: string, url: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    'DB_FORKED',
    databasePath,
    `the replica holds other transactions under our TXIDs, somebody else writes there: ${url}`,
    {
      hint: `stop the other writer, then continue from what the replica holds: replicate reset ${databasePath}`,
      ...(cause === undefined ? {} : { cause }),
    },
  )
}

/** No file where the database should be. */
export function notFoundError(path: string, cause?: unknown): DatabaseError {
  return new DatabaseError('DB_NOT_FOUND', path, `no such database: ${path}`, {
    hint: 'check the path, or restore the database first (-restore-if-db-not-exists)',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The files that are open are no longer those at the path. */
export function replacedError(path: string): DatabaseError {
  return new DatabaseError(
    'DB_FAILED',
    path,
    `the database or its wal was replaced by another file: ${path}`,
    {
      hint: 'replication starts anew with a full snapshot of what is there now',
    },
  )
}

/** An empty file where the replica has a database. */
export function emptyError(path: string, url: string): DatabaseError {
  return new DatabaseError(
    'DB_EMPTY',
    path,
    `the database is an empty file, and the replica is not empty: ${path}`,
    {
      hint: `remove it and restore (replicate restore -o ${path} ${url}), or create the database first`,
    },
  )
}
