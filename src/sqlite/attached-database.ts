import { realpathSync, statSync } from 'node:fs'
import { asDatabaseError, DatabaseError, notFoundError } from '../database-error.ts'
import { DatabaseFile } from './database-file.ts'
import { JournalModeError, WALConnections } from './wal-connections.ts'
import { WALFile } from './wal-file.ts'

const MAGIC = Buffer.from('SQLite format 3\0')

/**
 * A database that we take part in: its raw descriptor, its connections and its WAL, opened and closed in the one
 * order that keeps SQLite's locks whole.
 */
export class AttachedDatabase {
  /** Path with symbolic links resolved, as SQLite names the `-wal`. */
  readonly path: string
  readonly file: DatabaseFile
  readonly connections: WALConnections
  readonly wal: WALFile

  private constructor(path: string, file: DatabaseFile, connections: WALConnections) {
    this.path = path
    this.file = file
    this.connections = connections
    this.wal = new WALFile(path)
  }

  /**
   * Opens the database at `path`, switching it to WAL when it is in another mode. Throws {@link DatabaseError}:
   * `DB_NOT_FOUND`, `DB_NOT_A_DATABASE`, `DB_NOT_WAL`, `DB_READ_ONLY`, `DB_BUSY`, `DB_FAILED`.
   */
  static open(path: string, busyTimeoutMs: number): AttachedDatabase {
    const realPath = requireFile(path)
    const file = openFile(realPath)
    try {
      requireDatabase(file)
      return new AttachedDatabase(realPath, file, new WALConnections(realPath, busyTimeoutMs))
    } catch (error) {
      file.close()
      throw openError(error, path)
    }
  }

  /** Size of the database's pages in bytes. */
  get pageSize(): number {
    return this.connections.pageSize
  }

  /** True when the paths lead to other files than the open ones: the database was replaced, or its WAL removed. */
  wasReplaced(): boolean {
    return this.wal.wasReplaced() || this.file.wasReplaced()
  }

  /** Closes all; the raw descriptor last. */
  close(): void {
    try {
      this.connections.close()
    } finally {
      this.wal.close()
      this.file.close()
    }
  }
}

function requireFile(path: string): string {
  try {
    const realPath = realpathSync(path)
    if (!statSync(realPath).isFile()) {
      throw new DatabaseError('DB_NOT_A_DATABASE', path, `not a regular file: ${path}`, {
        hint: 'give the path of the database file itself',
      })
    }
    return realPath
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw asDatabaseError(error, path, 'opening the database')
    throw notFoundError(path, error)
  }
}

function openFile(path: string): DatabaseFile {
  try {
    return new DatabaseFile(path)
  } catch (error) {
    throw asDatabaseError(error, path, 'opening the database')
  }
}

/** SQLite tells a foreign file from a database only at the first read; an empty file is a database to it. */
function requireDatabase(file: DatabaseFile): void {
  if (file.fingerprint().sizeBytes === 0) return
  const start = Buffer.alloc(MAGIC.length)
  file.readInto(0, start)
  if (start.equals(MAGIC)) return
  throw new DatabaseError('DB_NOT_A_DATABASE', file.path, `not a sqlite database: ${file.path}`, {
    hint: 'check the path; an encrypted database cannot be replicated',
  })
}

function openError(error: unknown, path: string): DatabaseError {
  if (!(error instanceof JournalModeError)) return asDatabaseError(error, path, 'opening the database')
  const isBusy = error.cause !== undefined
  return new DatabaseError(
    isBusy ? 'DB_BUSY' : 'DB_NOT_WAL',
    path,
    `cannot be switched to WAL mode, ${error.message}: ${path}`,
    {
      cause: error,
      hint: isBusy
        ? 'end the transaction or the program that holds it; once in WAL mode a database stays there'
        : 'replication reads the write-ahead log: the database must be a plain file on a local file system',
    },
  )
}
