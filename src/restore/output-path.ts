import { lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Stats } from 'node:fs'
import { RestoreError } from './errors.ts'
import { SIDECAR_SUFFIXES } from './temp-file.ts'

const MAX_LINKS = 40

/** The place where a restored database is to appear, as it is before the restore. */
export interface Output {
  /** Absolute path of the file itself. A symbolic link at the path asked for is followed, and stays. */
  path: string
  folder: string
  /** Mode and owner of the file there; undefined if there is none. */
  existing: { mode: number; uid: number; gid: number } | undefined
  /** Paths of the `-wal`, `-shm` and `-journal` files beside it that exist. */
  sidecars: string[]
}

/**
 * Looks at an output path without opening anything there.
 *
 * SQLite resolves symbolic links before it names its `-wal`, so a link means the file that it points to, whether that
 * exists or not. Throws `RestoreError` with `RESTORE_OUTPUT_NOT_A_FILE`.
 */
export async function inspectOutput(outputPath: string): Promise<Output> {
  if (outputPath === '') throw notAFile(outputPath, 'is empty')
  if (/[/\\]$/.test(outputPath)) throw notAFile(outputPath, 'is a folder')
  const path = await followLinks(resolve(outputPath))
  const stats = await statOrMissing(path)
  if (stats !== undefined && !stats.isFile()) {
    throw notAFile(outputPath, stats.isDirectory() ? 'is a folder' : 'is not a regular file')
  }
  const sidecars: string[] = []
  for (const suffix of SIDECAR_SUFFIXES) {
    if ((await statOrMissing(path + suffix)) !== undefined) sidecars.push(path + suffix)
  }
  return {
    path,
    folder: dirname(path),
    existing: stats && { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid },
    sidecars,
  }
}

async function followLinks(path: string): Promise<string> {
  let at = path
  for (let links = 0; links < MAX_LINKS; links++) {
    at = join(await realFolder(dirname(at)), basename(at))
    let target: string
    try {
      if (!(await lstat(at)).isSymbolicLink()) return at
      target = await readlink(at)
    } catch (error) {
      if (isMissing(error)) return at
      throw notAFile(path, (error as Error).message)
    }
    at = resolve(dirname(at), target)
  }
  throw notAFile(path, 'is a loop of symbolic links')
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch (error) {
    if (isMissing(error)) return folder
    throw error
  }
}

async function statOrMissing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw notAFile(path, (error as Error).message)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function notAFile(path: string, why: string): RestoreError {
  return new RestoreError('RESTORE_OUTPUT_NOT_A_FILE', `output path ${why}: ${path}`, {
    hint: 'name the database file to create',
    path,
  })
}
