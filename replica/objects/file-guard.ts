import { chmodSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { ObjectStoreError } from './errors.ts'

/** The guard of a folder: no key, never listed, never removed. */
export const GUARD_NAME = '.objects.guard'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 20

export interface GuardOptions {
  /** How long to wait for another holder. */
  timeoutMs: number
  /** Mode of the guard file when it is made. */
  fileMode: number
  signal?: AbortSignal | undefined
}

/** The path of a folder's guard. */
export function guardPath(folder: string): string {
  return `${folder}/${GUARD_NAME}`
}

function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function guardError(path: string, cause: unknown): ObjectStoreError {
  const isRefused = /^SQLITE_(?:CANTOPEN|READONLY|PERM|AUTH)/.test(sqliteCode(cause))
  const code = isRefused ? 'OBJECT_AUTH_FAILED' : 'OBJECT_UNAVAILABLE'
  return new ObjectStoreError(code, `cannot lock the guard ${path}`, { path, cause })
}

function openGuard(path: string, fileMode: number): Database.Database {
  const isNew = !existsSync(path)
  const database = new Database(path, { timeout: 0 })
  // Nothing is ever written to it; with the journal in memory the lock leaves no second file behind a crash.
  database.pragma('journal_mode = MEMORY')
  if (isNew) chmodSync(path, fileMode)
  return database
}

function tryBegin(database: Database.Database, path: string): boolean {
  try {
    database.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (sqliteCode(error).startsWith('SQLITE_BUSY')) return false
    throw guardError(path, error)
  }
}

async function begin(database: Database.Database, path: string, options: GuardOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    options.signal?.throwIfAborted()
    if (tryBegin(database, path)) return
    if (performance.now() >= deadline) {
      throw new ObjectStoreError(
        'OBJECT_UNAVAILABLE',
        `guard held by another process for ${options.timeoutMs} ms: ${path}`,
        {
          path,
          hint: 'look for a process that hangs with this file open',
        },
      )
    }
    // Not SQLite's own busy wait: that would hold up everything else in this process. Random, so that waiters part.
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}

/**
 * Runs `action` while no other process, and nothing else in this one, holds the guard of `folder`, which must be there.
 *
 * The guard is an empty SQLite database with a write transaction open on it: a kernel lock (SQLite file locking,
 * RESERVED) that dies with its process, so nothing stale has ever to be broken. `action` is synchronous: no holder can
 * be waiting for anything but the disk, and within the process the event loop is the mutex.
 *
 * Errors: `OBJECT_UNAVAILABLE` when another holds it for too long, and what `action` throws.
 */
export async function underGuard<T>(folder: string, options: GuardOptions, action: () => T): Promise<T> {
  const path = guardPath(folder)
  let database: Database.Database
  try {
    database = openGuard(path, options.fileMode)
  } catch (error) {
    throw guardError(path, error)
  }
  try {
    await begin(database, path, options)
    try {
      return action()
    } finally {
      database.exec('ROLLBACK')
    }
  } finally {
    database.close()
  }
}
