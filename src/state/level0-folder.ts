import {
  closeSync,
  fchmodSync,
  fsyncSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import {
  Encoder,
  formatLTXFileName,
  type Header,
  type PagePayload,
  parseLTXFileName,
  type TXID,
} from '../../ltx/index.ts'

/** A finished level-0 file in the state folder. Never changed again; a replica may hard-link it. */
export interface Level0File {
  readonly path: string
  readonly minTXID: TXID
  readonly maxTXID: TXID
  readonly sizeBytes: number
  readonly timestampMs: number
}

const TEMPORARY = '.tmp'

/**
 * The local level-0 files of one database: what is captured, in the order of its TXIDs.
 *
 * A file appears by rename after its bytes are on the disk, and the rename is on the disk before {@link publish}
 * returns: a name that is here is a whole file. Synchronous; used by one thread.
 */
export class Level0Folder {
  readonly folder: string
  readonly #fileMode: number
  readonly #payload: PagePayload
  readonly #folderFd: number

  constructor(folder: string, options: { fileMode: number; folderMode: number; payload: PagePayload }) {
    this.folder = folder
    this.#fileMode = options.fileMode
    this.#payload = options.payload
    createFolder(folder, options.folderMode)
    for (const name of readdirSync(folder)) if (name.endsWith(TEMPORARY)) unlinkSync(join(folder, name))
    this.#folderFd = openSync(folder, 'r')
  }

  /** All files, by TXID. Reads names, sizes and times; no contents. */
  list(): Level0File[] {
    const files: Level0File[] = []
    for (const name of readdirSync(this.folder)) {
      const txids = parseLTXFileName(name)
      if (txids === undefined) continue
      const path = join(this.folder, name)
      const { size, mtimeMs } = statSync(path)
      files.push({ path, ...txids, sizeBytes: size, timestampMs: Math.round(mtimeMs) })
    }
    return files.sort((a, b) => (a.maxTXID < b.maxTXID ? -1 : 1))
  }

  /** Starts a file. Nothing of it is seen until it is published. */
  begin(header: Header): Level0Draft {
    const path = join(this.folder, formatLTXFileName(header.minTXID, header.maxTXID))
    const temporaryPath = path + TEMPORARY
    const fd = openSync(temporaryPath, 'w', this.#fileMode)
    try {
      // The mode given to open() is subject to the umask; a replica of a shared database is as shared as that.
      fchmodSync(fd, this.#fileMode)
      return new Level0Draft(fd, path, temporaryPath, header, this.#payload, this.#folderFd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Removes a file; one that is gone is fine. Not made durable: a file that comes back is only removed again. */
  remove(file: Level0File): void {
    rmSync(file.path, { force: true })
  }

  close(): void {
    closeSync(this.#folderFd)
  }
}

/** A level-0 file being written. Ends with exactly one of {@link publish} and {@link discard}. */
export class Level0Draft {
  readonly #fd: number
  readonly #path: string
  readonly #temporaryPath: string
  readonly #header: Header
  readonly #folderFd: number
  readonly #encoder: Encoder

  constructor(
    fd: number,
    path: string,
    temporaryPath: string,
    header: Header,
    payload: PagePayload,
    folderFd: number,
  ) {
    this.#fd = fd
    this.#path = path
    this.#temporaryPath = temporaryPath
    this.#header = header
    this.#folderFd = folderFd
    this.#encoder = new Encoder(header, (chunk) => writeAll(fd, chunk), { payload })
  }

  /** Descriptor of the unfinished file, for flushing it early. */
  get fd(): number {
    return this.#fd
  }

  writePage(pgno: number, data: Uint8Array): void {
    this.#encoder.writePage(pgno, data)
  }

  /** Ends the file and makes it and its name durable. On an error nothing is left and the file is not there. */
  publish(): Level0File {
    const { sizeBytes } = this.#writeOut()
    renameSync(this.#temporaryPath, this.#path)
    fsyncSync(this.#folderFd)
    const { minTXID, maxTXID, timestampMs } = this.#header
    return { path: this.#path, minTXID, maxTXID, sizeBytes, timestampMs }
  }

  /** Drops the file. */
  discard(): void {
    closeSync(this.#fd)
    rmSync(this.#temporaryPath, { force: true })
  }

  #writeOut(): { sizeBytes: number } {
    try {
      const encoded = this.#encoder.finish()
      // A file replica tells the time of a file by its modification time, and this file may become one by a link.
      futimesSync(this.#fd, this.#header.timestampMs / 1000, this.#header.timestampMs / 1000)
      fsyncSync(this.#fd)
      closeSync(this.#fd)
      return encoded
    } catch (error) {
      this.discard()
      throw error
    }
  }
}

function createFolder(folder: string, mode: number): void {
  const first = mkdirSync(folder, { recursive: true, mode })
  if (first === undefined) return
  for (let path = folder; ; path = dirname(path)) {
    syncFolder(dirname(path))
    if (path === first) return
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function writeAll(fd: number, chunk: Uint8Array): void {
  let written = 0
  while (written < chunk.length) written += writeSync(fd, chunk, written, chunk.length - written)
}
