import Database from 'better-sqlite3'

/** What SQLite says of its WAL: committed frames, and how many of them are in the database file. */
export interface WALState {
  /** Committed frames of the current generation. */
  readonly logFrames: number
  /** Frames already copied into the database file. */
  readonly backfilledFrames: number
}

interface Connection {
  readonly database: Database.Database
  readonly begin: Database.Statement
  readonly beginImmediate: Database.Statement
  readonly touch: Database.Statement
  readonly rollback: Database.Statement
}

/**
 * The SQLite connections with which a replicator takes part in the locking of one WAL database.
 *
 * Two connections take turns: one holds the **pin**, a read transaction that keeps the WAL from being restarted; the
 * other is free to take the **barrier**, the write lock under which no writer can commit, or the next pin. A third one
 * checkpoints, which SQLite refuses on a connection with an open transaction. None of them ever changes a page, except
 * {@link shrinkWAL}, which rewrites `user_version` to its own value.
 *
 * Synchronous throughout: each call is some microseconds of shared memory, but for the checkpoint, which does I/O.
 * Errors are those of SQLite. Source: SQLite file format §4, "Write-Ahead Logging" (wal.html).
 */
export class WALConnections {
  #pinned: Connection
  #free: Connection
  readonly #checkpointer: Database.Database
  readonly #noop: Database.Statement
  readonly #passive: Database.Statement
  #holdsBarrier = false

  /** Mode that the database was in before we switched it to WAL; undefined when it was in WAL already. */
  readonly switchedFrom: string | undefined
  readonly pageSize: number

  /**
   * Opens the three connections and switches the database to WAL when it is in another mode; waits up to
   * `busyTimeoutMs` for that. Throws SQLite's own errors, and {@link JournalModeError} when it will not be switched.
   */
  constructor(path: string, busyTimeoutMs: number) {
    const opened: Database.Database[] = []
    const open = (): Database.Database => {
      const database = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs })
      opened.push(database)
      database.pragma('wal_autocheckpoint = 0')
      return database
    }
    try {
      this.#checkpointer = open()
      this.switchedFrom = switchToWAL(this.#checkpointer)
      this.pageSize = Number(this.#checkpointer.pragma('page_size', { simple: true }))
      this.#noop = this.#checkpointer.prepare('PRAGMA wal_checkpoint(NOOP)').raw(true)
      this.#passive = this.#checkpointer.prepare('PRAGMA wal_checkpoint(PASSIVE)').raw(true)
      this.#pinned = connection(open())
      this.#free = connection(open())
      // SQLite's back-off sleeps for too long beside a busy writer, and would block the event loop: we spin ourselves.
      for (const database of opened) database.pragma('busy_timeout = 0')
    } catch (error) {
      for (const database of opened) database.close()
      throw error
    }
  }

  /** Takes the read transaction. From here on no frame committed before can be overwritten. */
  pin(): void {
    startReading(this.#pinned)
  }

  /** Drops the read transaction. Only under the barrier, or when nothing depends on the WAL any more. */
  unpin(): void {
    if (this.#pinned.database.inTransaction) this.#pinned.rollback.run()
  }

  /** Moves the pin to what is committed now without a moment in which the WAL is not held. */
  movePin(): void {
    startReading(this.#free)
    this.unpin()
    const moved = this.#free
    this.#free = this.#pinned
    this.#pinned = moved
  }

  /** Takes the write lock if it is free. True when we have it: no writer can commit until {@link releaseBarrier}. */
  tryBarrier(): boolean {
    try {
      this.#free.beginImmediate.run()
    } catch (error) {
      if (isBusy(error)) return false
      throw error
    }
    this.#holdsBarrier = true
    return true
  }

  /** Lets writers go on. Nothing was written. */
  releaseBarrier(): void {
    if (!this.#holdsBarrier) return
    this.#holdsBarrier = false
    if (this.#free.database.inTransaction) this.#free.rollback.run()
  }

  /**
   * Asks what is committed, without a lock and without I/O. Undefined while SQLite cannot say (another process
   * recovers the WAL): ask again, it is no sign of a fault.
   */
  walState(): WALState | undefined {
    const [busy, logFrames, backfilledFrames] = this.#noop.get() as [number, number, number]
    return busy !== 0 || logFrames < 0 ? undefined : { logFrames, backfilledFrames }
  }

  /** PASSIVE checkpoint: copies what no reader needs and blocks nobody. False when another checkpoint runs. */
  checkpointPassive(): boolean {
    const [busy] = this.#passive.get() as [number, number, number]
    return busy === 0
  }

  /** Size of the database in pages, as the pinned read transaction sees it. */
  pageCount(): number {
    return Number(this.#pinned.database.pragma('page_count', { simple: true }))
  }

  /**
   * Restarts a WAL that is backfilled and cuts its file to one frame, by rewriting `user_version` to its own value
   * under `journal_size_limit = 0`. False when a writer was in the way.
   */
  shrinkWAL(): boolean {
    const { database } = this.#free
    database.pragma('journal_size_limit = 0')
    try {
      database.exec('BEGIN IMMEDIATE')
      database.pragma(`user_version = ${Number(database.pragma('user_version', { simple: true }))}`)
      database.exec('COMMIT')
      return true
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK')
      if (isBusy(error)) return false
      throw error
    }
  }

  /** Closes all of them, the write lock last. The last connection of all processes deletes the WAL: allowed. */
  close(): void {
    this.#checkpointer.close()
    this.#pinned.database.close()
    this.#free.database.close()
  }
}

/** SQLite answered `PRAGMA journal_mode = wal` with another mode: in memory, on a file system without shared memory … */
export class JournalModeError extends Error {
  override readonly name = 'JournalModeError'
}

function switchToWAL(database: Database.Database): string | undefined {
  const before = String(database.pragma('journal_mode', { simple: true }))
  if (before === 'wal') return undefined
  try {
    const after = String(database.pragma('journal_mode = wal', { simple: true }))
    if (after === 'wal') return before
    throw new JournalModeError(`journal mode stays ${after}`)
  } catch (error) {
    if (!isBusy(error)) throw error
    throw new JournalModeError(`another process holds it in journal mode ${before}`, { cause: error })
  }
}

function connection(database: Database.Database): Connection {
  return {
    database,
    begin: database.prepare('BEGIN'),
    beginImmediate: database.prepare('BEGIN IMMEDIATE'),
    touch: database.prepare('SELECT 1 FROM sqlite_schema'),
    rollback: database.prepare('ROLLBACK'),
  }
}

/** `BEGIN` alone locks nothing: the first read takes the read mark. */
function startReading(connection: Connection): void {
  connection.begin.run()
  try {
    connection.touch.get()
  } catch (error) {
    connection.rollback.run()
    throw error
  }
}

/** True for SQLite's "somebody else holds it": SQLITE_BUSY in all its forms. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}
