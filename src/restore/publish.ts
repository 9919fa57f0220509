import { chmod, chown, link, lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RestoreError } from './errors.ts'
import type { Output } from './output-path.ts'
import { asWriteError } from './temp-file.ts'

/**
 * Creates the missing folders above an output, mode 0700. Returns how to take them away again, as long as they are
 * empty. Throws `RestoreError` with `RESTORE_WRITE_FAILED`.
 */
export async function createFolders(folder: string): Promise<() => Promise<void>> {
  let highest: string | undefined
  try {
    // One by one: a recursive mkdir reports a read-only file system as a missing folder.
    for (const missing of await missingFolders(folder)) {
      await mkdir(missing, { mode: 0o700 })
      await syncFolder(dirname(missing))
      highest ??= missing
    }
  } catch (error) {
    throw asWriteError(error, folder)
  }
  const top = highest
  return top === undefined ? async () => {} : () => removeEmptyFolders(folder, top)
}

/** The folders on the way to `folder` that are not there, from the top. */
async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = []
  for (let at = folder; !(await isThere(at)); at = dirname(at)) missing.unshift(at)
  return missing
}

async function removeEmptyFolders(lowest: string, highest: string): Promise<void> {
  for (let at = lowest; ; at = dirname(at)) {
    try {
      await rmdir(at)
    } catch {
      // Somebody has put something there meanwhile, so that the folder is of use.
      return
    }
    if (at === highest) return
  }
}

/**
 * Lets a finished, durable file appear at the output path in one step, and makes that durable.
 *
 * With `replace` it takes the place, mode and (where allowed) owner of the file there. Without, a file that has
 * appeared there meanwhile is never written over: `RestoreError` with `RESTORE_OUTPUT_EXISTS`. Also
 * `RESTORE_WRITE_FAILED`. The file at `tempPath` is gone afterwards.
 */
export async function publish(tempPath: string, output: Output, replace: boolean): Promise<void> {
  try {
    if (output.existing !== undefined) await takeOver(tempPath, output.existing)
    await syncFolder(output.folder)
    if (replace) await rename(tempPath, output.path)
    else await createOnly(tempPath, output.path)
    await syncFolder(output.folder)
  } catch (error) {
    throw asWriteError(error, output.path)
  }
}

/** The error for a path at which something is already. */
export function outputExists(path: string): RestoreError {
  return new RestoreError('RESTORE_OUTPUT_EXISTS', `cannot restore, output path already exists: ${path}`, {
    hint: 'restore to another path; -force replaces a database that nobody has open, -if-db-not-exists keeps it',
    path,
  })
}

async function takeOver(path: string, { mode, uid, gid }: NonNullable<Output['existing']>): Promise<void> {
  try {
    await chown(path, uid, gid)
  } catch (error) {
    // Only root may give files away; the mode alone is kept then.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
  await chmod(path, mode)
}

async function createOnly(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
    await rm(from)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') throw outputExists(to)
    // A file system without hard links: a moment between the look and the rename has to be accepted.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(String(code))) throw error
    if (await isThere(to)) throw outputExists(to)
    await rename(from, to)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
