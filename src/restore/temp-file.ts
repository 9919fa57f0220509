import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { RestoreError } from './errors.ts'
import { isNoSpace } from './space.ts'

/** What SQLite may put beside a database file. */
export const SIDECAR_SUFFIXES: readonly string[] = ['-wal', '-shm', '-journal']

// Temporary files of restores that run in this process: another restore must not take them for leftovers.
const living = new Set<string>()

/**
 * A file in the output's folder in which a database is put together, named `<output>.tmp-<pid>-<random>`, readable by
 * its owner only. Ours alone: no other process knows it, so that opening and closing it breaks no lock.
 */
export class TempFile {
  readonly path: string
  readonly fd: number
  #open = true

  private constructor(path: string, fd: number) {
    this.path = path
    this.fd = fd
  }

  /** Creates the file for an output. Throws `RestoreError`: `RESTORE_NO_SPACE`, `RESTORE_WRITE_FAILED`. */
  static create(outputPath: string): TempFile {
    const path = `${outputPath}.tmp-${process.pid}-${randomBytes(6).toString('hex')}`
    try {
      const fd = openSync(path, 'wx', 0o600)
      living.add(path)
      return new TempFile(path, fd)
    } catch (error) {
      throw asWriteError(error, path)
    }
  }

  /** Closes the descriptor; the file stays. Idempotent. */
  close(): void {
    if (this.#open) closeSync(this.fd)
    this.#open = false
  }

  /** Closes and removes the file and whatever SQLite put beside it. Missing is fine, since it may have been renamed. */
  async discard(): Promise<void> {
    this.close()
    await removeWithSidecars(this.path)
    living.delete(this.path)
  }
}

/** Removes what restores to the same output left behind when their process was killed. */
export async function removeLeftovers(outputPath: string): Promise<void> {
  const folder = dirname(outputPath)
  const prefix = `${basename(outputPath)}.tmp-`
  for (const name of await namesIn(folder)) {
    const match = name.startsWith(prefix)
      ? /^(\d+)-[0-9a-f]{12}(?:-wal|-shm|-journal)?$/.exec(name.slice(prefix.length))
      : null
    if (match === null) continue
    const temp = join(folder, name.replace(/-(?:wal|shm|journal)$/, ''))
    if (!living.has(temp) && !isOtherLivingProcess(Number(match[1])))
      await rm(join(folder, name), { force: true })
  }
}

/** Turns an error of the file system into a `RestoreError`; one that is ours already passes. */
export function asWriteError(error: unknown, path: string): RestoreError {
  if (error instanceof RestoreError) return error
  const why = error instanceof Error ? error.message : String(error)
  const noSpace = isNoSpace(error)
  return new RestoreError(
    noSpace ? 'RESTORE_NO_SPACE' : 'RESTORE_WRITE_FAILED',
    `writing failed: ${path}: ${why}`,
    {
      cause: error,
      path,
      hint: noSpace
        ? 'free some space, or restore to another file system'
        : 'check the folder and its permissions',
    },
  )
}

async function removeWithSidecars(path: string): Promise<void> {
  for (const suffix of ['', ...SIDECAR_SUFFIXES]) await rm(path + suffix, { force: true })
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw asWriteError(error, folder)
  }
}

function isOtherLivingProcess(pid: number): boolean {
  // In a container every run may have the same number: ours, without a restore of that name, is a former run's.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
