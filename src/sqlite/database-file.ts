import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** What tells whether a database file was written to: all of it must be equal. Times in ns since the epoch. */
export interface FileFingerprint {
  readonly dev: string
  readonly ino: string
  readonly sizeBytes: number
  readonly mtimeNs: string
  readonly ctimeNs: string
}

/**
 * The one raw descriptor of a database file in this process.
 *
 * Closing any descriptor of that file drops all the locks which the process holds on it (POSIX), SQLite's among them.
 * So it is opened before the connections, closed after them, and nobody else opens the path raw. Synchronous.
 */
export class DatabaseFile {
  readonly path: string
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'r')
  }

  /** Fills `target` from byte `offset` on, and zeroes what lies past the end of the file, as SQLite reads it. */
  readInto(offset: number, target: Uint8Array): void {
    let filled = 0
    while (filled < target.length) {
      const bytes = readSync(this.#fd, target, filled, target.length - filled, offset + filled)
      if (bytes === 0) break
      filled += bytes
    }
    target.fill(0, filled)
  }

  /** Waits until what was written to the file is on the disk. */
  sync(): void {
    fdatasyncSync(this.#fd)
  }

  /** Identity and times of the open file. */
  fingerprint(): FileFingerprint {
    const found = fstatSync(this.#fd, { bigint: true })
    return {
      dev: String(found.dev),
      ino: String(found.ino),
      sizeBytes: Number(found.size),
      mtimeNs: String(found.mtimeNs),
      ctimeNs: String(found.ctimeNs),
    }
  }

  /** True when the path leads to another file now, or to none. */
  wasReplaced(): boolean {
    const mine = fstatSync(this.#fd)
    const found = statSync(this.path, { throwIfNoEntry: false })
    return found === undefined || found.ino !== mine.ino || found.dev !== mine.dev
  }

  /** Only after the last connection of this process is closed. */
  close(): void {
    closeSync(this.#fd)
  }
}
