import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Kernel lock that makes one process the only replicator of a database: an exclusive transaction on a small SQLite
 * file. Node has no `fcntl`; SQLite does, and the kernel drops the lock however the process dies.
 */
export class ProcessLock {
  readonly #database: Database.Database

  private constructor(database: Database.Database) {
    this.#database = database
  }

  /**
   * Takes the lock in `stateFolder` (created when missing, mode `folderMode`), or returns undefined when another
   * process, or another part of this one, has it. Errors of the file system are thrown as they are.
   */
  static acquire(stateFolder: string, folderMode = 0o700): ProcessLock | undefined {
    // Not recursive: on a read-only file system that reports a missing folder instead.
    if (!existsSync(stateFolder)) mkdirSync(stateFolder, { mode: folderMode })
    const database = new Database(join(stateFolder, 'process.lock'), { timeout: 0 })
    try {
      database.exec('BEGIN EXCLUSIVE')
      return new ProcessLock(database)
    } catch (error) {
      database.close()
      if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return undefined
      throw error
    }
  }

  /** Lets go. Idempotent. */
  release(): void {
    if (!this.#database.open) return
    this.#database.exec('ROLLBACK')
    this.#database.close()
  }
}
