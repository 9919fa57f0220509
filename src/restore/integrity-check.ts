import Database from 'better-sqlite3'
import { RestoreError } from './errors.ts'

/** How thoroughly SQLite looks at a restored database before it appears. */
export type IntegrityCheck = 'none' | 'quick' | 'full'

const SHOWN_PROBLEMS = 5

/**
 * Runs SQLite's `quick_check` or `integrity_check` on a database file that nobody else knows. The file's bytes stay
 * as they are; SQLite may leave `-wal` and `-shm` beside it, which are the caller's to remove. Blocks the thread.
 *
 * Throws `RestoreError` with `RESTORE_INTEGRITY_FAILED`.
 */
export function checkIntegrity(path: string, check: IntegrityCheck): void {
  if (check === 'none') return
  const problems = findProblems(path, check === 'full' ? 'integrity_check' : 'quick_check')
  if (problems.length === 0) return
  const shown = problems.slice(0, SHOWN_PROBLEMS).join('; ')
  throw new RestoreError(
    'RESTORE_INTEGRITY_FAILED',
    `the restored database failed its ${check} check: ${shown}`,
    {
      hint: 'the source may have been damaged already; restore an older state with its txid or time',
    },
  )
}

function findProblems(path: string, pragma: string): string[] {
  let database: Database.Database | undefined
  try {
    database = new Database(path, { fileMustExist: true })
    // Without other connections there is no need for shared memory beside the file.
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('query_only = ON')
    const rows = database.pragma(pragma) as Record<string, unknown>[]
    const lines = rows.map((row) => String(Object.values(row)[0]))
    return lines[0] === 'ok' ? [] : lines
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    database?.close()
  }
}
