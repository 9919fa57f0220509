import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'
import { ObjectStoreError } from './errors.ts'
import { isErrno, notAFolder } from './file-errors.ts'
import { removeAbandoned } from './file-temp.ts'

const IS_WINDOWS = process.platform === 'win32'

/** Makes what was linked, renamed or removed in a folder durable. Where folders cannot be synced it does nothing. */
export function syncFolder(path: string): void {
  // Windows opens no folders, and writes its own journal.
  if (IS_WINDOWS) return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } catch (error) {
    // Some network and user-space file systems have no such call for folders.
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) throw error
  } finally {
    closeSync(fd)
  }
}

function symbolicLink(path: string, folder: string): ObjectStoreError {
  return new ObjectStoreError('OBJECT_UNSAFE_KEY', `a symbolic link stands below the root: ${path}`, {
    key: folder,
    path,
    hint: 'give the place that the link points to as the root, or mount it there',
  })
}

/**
 * The folders of a file store, by key (`''` is the root).
 *
 * The root's own path may lead over symbolic links, below it none is followed: each folder is looked at once, when the
 * store first uses it. Whoever can write below the root is trusted; this guards against accidents, not against them.
 */
export class FileFolders {
  readonly root: string
  readonly #mode: number
  readonly #now: () => number
  readonly #checked = new Set<string>([''])
  readonly #writable = new Set<string>()

  constructor(root: string, mode: number, now: () => number) {
    this.root = root
    this.#mode = mode
    this.#now = now
  }

  pathOf(folder: string): string {
    return folder === '' ? this.root : `${this.root}/${folder}`
  }

  /** The path of a folder that is there; undefined when it is not. Throws raw system errors. */
  forRead(folder: string): string | undefined {
    if (this.#checked.has(folder)) return this.pathOf(folder)
    for (const path of this.#descent(folder)) {
      const stat = this.#look(path, folder)
      if (stat === undefined || !stat.isDirectory()) return undefined
    }
    this.#checked.add(folder)
    return this.pathOf(folder)
  }

  /** The path of a folder, made durably if it is not there, with what crashes left in it removed. Throws raw system errors. */
  forWrite(folder: string): string {
    if (this.#writable.has(folder)) return this.pathOf(folder)
    this.#makeRoot()
    for (const path of this.#descent(folder)) this.#makeFolder(path, folder)
    const path = this.pathOf(folder)
    removeAbandoned(path, this.#now())
    this.#checked.add(folder)
    this.#writable.add(folder)
    return path
  }

  /** Looks again at every folder: one of them went away. */
  forget(): void {
    this.#checked.clear()
    this.#checked.add('')
    this.#writable.clear()
  }

  /**
   * Throws where a file stands in the place of the root: every key seems absent then, which must not pass for an empty
   * store. A root that is not there is one. Throws raw system errors.
   */
  assertRootIsFolder(): void {
    let stat: Stats
    try {
      // Not throwIfNoEntry: that takes ENOTDIR for absence.
      stat = statSync(this.root)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return
      if (isErrno(error, 'ENOTDIR')) throw notAFolder(this.root, error)
      throw error
    }
    if (!stat.isDirectory()) throw notAFolder(this.root)
  }

  *#descent(folder: string): Generator<string, void, undefined> {
    if (folder === '') return
    let path = this.root
    for (const segment of folder.split('/')) {
      path = `${path}/${segment}`
      yield path
    }
  }

  #look(path: string, folder: string): Stats | undefined {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink()) throw symbolicLink(path, folder)
    return stat
  }

  #makeRoot(): void {
    this.assertRootIsFolder()
    for (const path of missingFolders(this.root)) {
      try {
        // One by one: a recursive mkdir reports a read-only file system as a missing folder.
        mkdirSync(path, this.#mode)
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error
      }
      if (path === this.root) chmodSync(path, this.#mode)
      syncFolder(dirname(path))
    }
  }

  #makeFolder(path: string, folder: string): void {
    const stat = this.#look(path, folder)
    if (stat === undefined) {
      try {
        mkdirSync(path, this.#mode)
        chmodSync(path, this.#mode)
      } catch (error) {
        // Another process was first: what it made is looked at like anything that stood there.
        if (!isErrno(error, 'EEXIST')) throw error
        if (!this.#look(path, folder)?.isDirectory()) throw notAFolder(path, error)
      }
    } else if (!stat.isDirectory()) {
      throw notAFolder(path)
    }
    // Also when it stood there: its maker may have crashed before this.
    syncFolder(dirname(path))
  }
}

/** The folders on the way to `path` that are not there, from the top; `path` itself is the last. */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let at = path; lstatSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
    missing.unshift(at)
  return missing
}
