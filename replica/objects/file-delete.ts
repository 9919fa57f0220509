import { existsSync, lstatSync, rmdirSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileError, isErrno } from './file-errors.ts'
import { syncFolder } from './file-folders.ts'
import { guardPath, underGuard, type GuardOptions } from './file-guard.ts'

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return
    // What unlink says of a folder on systems other than Linux.
    if (isErrno(error, 'EPERM') && lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    throw error
  }
}

// A folder is there as long as there are keys in it, as in a bucket. What else is in it keeps it.
function removeEmpty(folder: string, root: string): string {
  let path = folder
  try {
    for (; path !== root; path = dirname(path)) rmdirSync(path)
  } catch (error) {
    if (!isErrno(error)) throw error
  }
  return path
}

function removeAll(paths: readonly string[], failures: unknown[]): void {
  for (const path of paths) {
    try {
      removeFile(path)
    } catch (error) {
      failures.push(fileError(error, 'delete', path))
    }
  }
}

function finish(folder: string, root: string): string {
  try {
    const kept = removeEmpty(folder, root)
    syncFolder(kept)
    return kept
  } catch (error) {
    // Another process removed it, and that is as durable as it needs to be.
    if (isErrno(error, 'ENOENT')) return root
    throw fileError(error, 'delete in', folder)
  }
}

/**
 * Deletes files of one folder, durably, and the folder with them if nothing is left in it. Returns whether the folder was
 * removed. Goes on after a failure and throws the first at the end.
 */
export async function deleteFiles(
  folder: string,
  paths: readonly string[],
  root: string,
  guard: GuardOptions,
): Promise<boolean> {
  const failures: unknown[] = []
  // Where compare-and-swap goes on, a deletion must not fall between its compare and its swap. A guard that appears
  // meanwhile may have let one begin, so it is done again: what was written since counts as written before.
  if (!existsSync(guardPath(folder))) removeAll(paths, failures)
  if (existsSync(guardPath(folder))) await underGuard(folder, guard, () => removeAll(paths, failures))
  const kept = finish(folder, root)
  if (failures.length > 0) throw failures[0]
  return kept !== folder
}
