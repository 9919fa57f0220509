import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import Database from 'better-sqlite3'
import { ProcessLock } from '../state/process-lock.ts'
import { removeLocalState, stateFolderOf } from '../state/state-folder.ts'
import { RestoreError } from './errors.ts'
import type { Output } from './output-path.ts'
import { processesWithOpen } from './open-descriptors.ts'
import { asWriteError, SIDECAR_SUFFIXES } from './temp-file.ts'

/** Whether the locks of the file at the output could be asked for: only SQLite can tell, and only of a database. */
export type ExistingFile = 'database' | 'not a database'

/**
 * Proves that nobody has the database at an output path open, as far as that can be seen.
 *
 * Asks SQLite for the exclusive lock: an idle connection in WAL mode holds a shared one, a transaction in rollback
 * mode at least that. An idle connection in rollback mode holds none; on Linux its open descriptor shows, unless it
 * belongs to another user. Never opens the file but through SQLite, since closing it would drop the locks of this
 * process. A crashed writer's journal is rolled back, a WAL without other connections is checkpointed, as at any
 * opening.
 *
 * `processes` lists those that have a file open; replaced where that cannot be seen.
 *
 * Throws `RestoreError`: `RESTORE_OUTPUT_IN_USE`, or `RESTORE_WRITE_FAILED` where SQLite may not open it for writing.
 */
export async function requireUnused(
  path: string,
  processes: (path: string) => Promise<number[]> = processesWithOpen,
): Promise<ExistingFile> {
  const existing = takeExclusiveLock(path)
  const pids = await processes(path)
  if (pids.length > 0) throw inUse(path, new Error(`open in process ${pids.join(', ')}`))
  return existing
}

/**
 * Makes way for a restored database: proves again that the old one is unused, folds its WAL into it, and removes
 * whatever would be taken for the new one's: `-wal`, `-shm`, `-journal`, and our local state. A crash in between
 * leaves the old database whole, or nothing; never a new one beside an old WAL.
 *
 * Throws `RestoreError`: `RESTORE_OUTPUT_IN_USE`, `RESTORE_WRITE_FAILED`.
 */
export async function clearOutput(output: Output): Promise<void> {
  if (output.existing !== undefined) {
    // As its only connection SQLite writes the WAL back when it closes, so that the old database needs no sidecar.
    takeExclusiveLock(output.path)
  }
  await removeState(output.path)
  try {
    for (const suffix of SIDECAR_SUFFIXES) await rm(output.path + suffix, { force: true })
  } catch (error) {
    throw asWriteError(error, output.path)
  }
}

/** Takes SQLite's exclusive lock on a database and lets go of it again, or throws. */
function takeExclusiveLock(path: string): ExistingFile {
  let database: Database.Database | undefined
  try {
    database = new Database(path, { fileMustExist: true, timeout: 0 })
    database.pragma('locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE; COMMIT')
    return 'database'
  } catch (error) {
    const code = String((error as { code?: unknown }).code)
    if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) return 'not a database'
    if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) throw inUse(path, error)
    throw asWriteError(error, path)
  } finally {
    database?.close()
  }
}

async function removeState(path: string): Promise<void> {
  const folder = stateFolderOf(path)
  if (!existsSync(folder)) return
  let lock: ProcessLock | undefined
  try {
    lock = ProcessLock.acquire(folder)
    if (lock === undefined) throw inUse(path, new Error('a replicator is at work on it'))
    await removeLocalState(folder)
  } catch (error) {
    throw asWriteError(error, folder)
  } finally {
    lock?.release()
  }
}

function inUse(path: string, cause: unknown): RestoreError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RestoreError(
    'RESTORE_OUTPUT_IN_USE',
    `the database at the output path is in use: ${path}: ${why}`,
    {
      cause,
      hint: 'stop what has it open, or restore to another path',
      path,
    },
  )
}
