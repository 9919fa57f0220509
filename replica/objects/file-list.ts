import { lstatSync, type Dirent, type Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { fileError, isErrno } from './file-errors.ts'
import { modifiedMsOf } from './file-info.ts'
import { compareKeys, isKey } from './key.ts'
import type { ObjectListing } from './object-store.ts'

/** After so many files the event loop gets its turn: the calls themselves are synchronous. */
const FILES_PER_TURN = 128

export interface Walk {
  /** Only keys that begin with it. */
  readonly prefix: string
  readonly startAfter?: string | undefined
  readonly signal?: AbortSignal | undefined
}

interface Entry {
  /** The key of a file; of a folder with `/` after it, which is what its keys are ordered by. */
  readonly key: string
  readonly isFolder: boolean
}

function entryOf(dirent: Dirent, folder: string): Entry | undefined {
  const key = folder === '' ? dirent.name : `${folder}/${dirent.name}`
  // Temporary files, the guard, and what others put there under names that no key has.
  if (!isKey(key)) return undefined
  if (dirent.isDirectory()) return { key: `${key}/`, isFolder: true }
  return dirent.isFile() ? { key, isFolder: false } : undefined
}

function isWanted(entry: Entry, { prefix, startAfter }: Walk): boolean {
  const { key, isFolder } = entry
  if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false
  if (startAfter === undefined || compareKeys(key, startAfter) > 0) return true
  return isFolder && startAfter.startsWith(key)
}

async function entriesOf(path: string, folder: string, walk: Walk): Promise<Entry[]> {
  let dirents: Dirent[]
  try {
    dirents = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw fileError(error, 'list', path)
  }
  const entries: Entry[] = []
  for (const dirent of dirents) {
    const entry = entryOf(dirent, folder)
    if (entry !== undefined && isWanted(entry, walk)) entries.push(entry)
  }
  return entries.sort((a, b) => compareKeys(a.key, b.key))
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw fileError(error, 'list', path)
  }
}

/**
 * The files below a folder in key order. Holds the names of one folder at a time and level; a file that goes away
 * meanwhile is left out.
 */
export async function* walkFiles(
  root: string,
  folder: string,
  walk: Walk,
): AsyncGenerator<ObjectListing, void, undefined> {
  const entries = await entriesOf(folder === '' ? root : `${root}/${folder}`, folder, walk)
  let files = 0
  for (const { key, isFolder } of entries) {
    walk.signal?.throwIfAborted()
    if (isFolder) {
      yield* walkFiles(root, key.slice(0, -1), walk)
      continue
    }
    const stat = look(`${root}/${key}`)
    if (stat?.isFile()) yield { key, sizeBytes: stat.size, modifiedMs: modifiedMsOf(stat) }
    if (++files % FILES_PER_TURN === 0) await setImmediate()
  }
}
