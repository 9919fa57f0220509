import { ProcessLock } from '../state/process-lock.ts'
import { asDatabaseError, DatabaseError } from '../database-error.ts'

/**
 * Makes this process the only replicator of a database. Throws {@link DatabaseError}: `DB_LOCKED_BY_REPLICATOR`, or
 * what keeps the state folder from being made.
 */
export function acquireLock(path: string, stateFolder: string): ProcessLock {
  let lock: ProcessLock | undefined
  try {
    lock = ProcessLock.acquire(stateFolder)
  } catch (error) {
    throw asDatabaseError(error, path, 'creating the state folder')
  }
  if (lock !== undefined) return lock
  throw new DatabaseError(
    'DB_LOCKED_BY_REPLICATOR',
    path,
    `another process replicates this database: ${path}`,
    {
      hint: 'stop the other replicator first; one database has one',
    },
  )
}
