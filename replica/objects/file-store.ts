import { closeSync } from 'node:fs'
import { resolve } from 'node:path'
import { ObjectStoreError } from './errors.ts'
import { deleteFiles } from './file-delete.ts'
import { fileError, isErrno } from './file-errors.ts'
import { FileFolders } from './file-folders.ts'
import { walkFiles } from './file-list.ts'
import { putFile, type FilePutContext } from './file-put.ts'
import { FileBytes, infoOfObject, openObject, type OpenedObject } from './file-read.ts'
import { assertKey, assertPrefix, folderOfKey } from './key.ts'
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectBody,
  ObjectInfo,
  ObjectListing,
  ObjectStore,
  PutBody,
  PutOptions,
} from './object-store.ts'
import { spanOf } from './range.ts'

const GUARD_TIMEOUT_MS = 10_000

export interface FileObjectStoreOptions {
  /** The folder that holds the objects. It is made by the first `put`, never before. */
  root: string
  /** Mode of the files it writes, 0o600 by default. A hard-linked body keeps its own. */
  fileMode?: number | undefined
  /** Mode of the folders it makes, 0o700 by default. */
  folderMode?: number | undefined
  /** False: never link, always copy, as on a disk that has no hard links. */
  hardLinks?: boolean | undefined
  /** How long a write under the guard waits for another process in the same folder, 10,000 ms by default. */
  guardTimeoutMs?: number | undefined
  /** Wall clock in ms since the Unix epoch. */
  now?: (() => number) | undefined
}

/**
 * Objects as files below a folder of a local disk, shared safely between processes.
 *
 * - A file appears under its name finished and fsynced, by link or rename, and then its folder is fsynced.
 * - `ifNoneMatch` is one `link`, of the body's own file where that is on the same disk: the object shares its inode, and
 *   no byte is written twice. Disks without hard links check and rename under the guard.
 * - `ifMatch` and unconditional writes rename under the guard of the folder (`underGuard`); so do deletions in folders
 *   that have one.
 * - ETags are the SHA-256 of objects up to 64 KiB. Beyond that they are a sign only, and `ifMatch` is refused with
 *   `OBJECT_UNSUPPORTED`. `metadata` is refused likewise, `modifiedMs` is the file's modification time.
 * - Symbolic links below the root are not followed (`FileFolders`).
 * - A folder exists as long as there are keys in it. A key can be no folder of another one.
 *
 * Not for folders that several hosts write at the same time: the guard is a lock of one kernel.
 */
export class FileObjectStore implements ObjectStore {
  readonly type = 'file'
  /** The absolute path of the root. */
  readonly root: string
  readonly #folders: FileFolders
  readonly #context: FilePutContext
  #isClosed = false

  constructor(options: FileObjectStoreOptions) {
    this.root = resolve(options.root)
    this.#folders = new FileFolders(this.root, options.folderMode ?? 0o700, options.now ?? Date.now)
    this.#context = {
      folders: this.#folders,
      fileMode: options.fileMode ?? 0o600,
      hardLinks: options.hardLinks ?? true,
      guardTimeoutMs: options.guardTimeoutMs ?? GUARD_TIMEOUT_MS,
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody | undefined> {
    this.#begin(options)
    assertKey(key)
    const opened = this.#look(key, openObject)
    if (opened === undefined) return undefined
    return { info: opened.info, bytes: this.#bytesOf(opened, options) }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    this.#begin(options)
    assertKey(key)
    return this.#look(key, infoOfObject)
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<ObjectInfo>
  put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectListing>
  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectListing> {
    this.#begin(options)
    assertKey(key)
    return putFile(this.#context, key, body, options)
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectListing, void, undefined> {
    this.#begin(options)
    assertPrefix(prefix)
    const { startAfter, signal } = options
    const folder = folderOfKey(prefix)
    const path = this.#in(folder, 'list', undefined, () => this.#folders.forRead(folder))
    if (path !== undefined) yield* walkFiles(this.root, folder, { prefix, startAfter, signal })
  }

  async delete(keys: readonly string[], options: CallOptions = {}): Promise<void> {
    this.#begin(options)
    keys.forEach(assertKey)
    for (const [folder, paths] of this.#pathsByFolder(keys)) {
      options.signal?.throwIfAborted()
      const path = this.#in(folder, 'delete in', undefined, () => {
        // Here a wrong root would pass for an object that is not there.
        this.#folders.assertRootIsFolder()
        return this.#folders.forRead(folder)
      })
      if (path === undefined) continue
      const isRemoved = await deleteFiles(path, paths, this.root, {
        timeoutMs: this.#context.guardTimeoutMs,
        fileMode: this.#context.fileMode,
        signal: options.signal,
      })
      if (isRemoved) this.#folders.forget()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #begin(options: CallOptions): void {
    options.signal?.throwIfAborted()
    if (!this.#isClosed) return
    throw new ObjectStoreError('OBJECT_CLOSED', `the file store is closed: ${this.root}`, { path: this.root })
  }

  #look<T>(key: string, open: (path: string, key: string) => T | undefined): T | undefined {
    const folder = folderOfKey(key)
    const path = this.#folders.pathOf(key)
    return this.#in(folder, 'read', key, () =>
      this.#folders.forRead(folder) === undefined ? undefined : open(path, key),
    )
  }

  // Nothing found: either so, or the root itself is wrong. ENOTDIR below a sound root says that a key has another key
  // for its folder, and there can be no such object.
  #in<T>(folder: string, action: string, key: string | undefined, find: () => T | undefined): T | undefined {
    try {
      try {
        const found = find()
        if (found !== undefined) return found
      } catch (error) {
        if (!isErrno(error, 'ENOTDIR')) throw error
      }
      this.#folders.assertRootIsFolder()
      return undefined
    } catch (error) {
      throw fileError(error, action, this.#folders.pathOf(key ?? folder), key)
    }
  }

  #bytesOf(opened: OpenedObject, options: GetOptions): AsyncIterable<Uint8Array> {
    try {
      const span = spanOf(options.range, opened.info.sizeBytes)
      if ('bytes' in opened) return once(opened.bytes.subarray(span.start, span.end), options.signal)
      return new FileBytes(opened.fd, this.#folders.pathOf(opened.info.key), span, options.signal)
    } catch (error) {
      if ('fd' in opened) closeSync(opened.fd)
      throw error
    }
  }

  #pathsByFolder(keys: readonly string[]): Map<string, string[]> {
    const byFolder = new Map<string, string[]>()
    for (const key of keys) {
      const folder = folderOfKey(key)
      const paths = byFolder.get(folder)
      if (paths === undefined) byFolder.set(folder, [this.#folders.pathOf(key)])
      else paths.push(this.#folders.pathOf(key))
    }
    return byFolder
  }
}

async function* once(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  if (bytes.length > 0) yield bytes
}
