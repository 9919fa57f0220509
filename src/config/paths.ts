import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Absolute path of a database as people write it: relative to the working directory, from `~/`, or with the
 * `sqlite://` or `sqlite3://` in front that connection strings have.
 */
export function resolveDatabasePath(path: string): string {
  return resolvePath(path.replace(/^sqlite3?:\/\//, ''))
}

/** Absolute path; `~` and `~/…` are the home folder. */
export function resolvePath(path: string): string {
  if (path === '~') return homedir()
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path)
}
