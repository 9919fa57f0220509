import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES, type WALSource } from '../wal/index.ts'

/** The two random numbers that tell one generation of a WAL from the next: u32 each. */
export interface Salts {
  readonly salt1: number
  readonly salt2: number
}

/** A pair of u32: WAL checksums are cumulative, so one names everything before it in its generation. */
export interface ChecksumWords {
  readonly s0: number
  readonly s1: number
}

/** What capture wants to know of the header of a WAL. */
export interface WALHeaderView extends Salts {
  readonly pageSize: number
  /** Byte order in which this generation's checksums read the pages. */
  readonly bigEndianChecksum: boolean
  /** Checksum of the header itself: the seed of the first frame's. */
  readonly checksum: ChecksumWords
}

/**
 * The live `-wal` file of a database, read raw. Unlike the database and the `-shm` file it carries no locks, so it
 * may be opened and closed freely. Synchronous; the descriptor is kept and checked against the path on demand.
 */
export class WALFile implements WALSource {
  readonly path: string
  readonly #header = Buffer.alloc(WAL_HEADER_BYTES)
  #fd: number | undefined
  #inode = 0n

  constructor(databasePath: string) {
    this.path = `${databasePath}-wal`
  }

  /** The header as it is now, or undefined when there is no file or less than a header in it. */
  readHeader(): WALHeaderView | undefined {
    const fd = this.#open()
    if (fd === undefined) return undefined
    const header = this.#header
    if (readSync(fd, header, 0, WAL_HEADER_BYTES, 0) < WAL_HEADER_BYTES) return undefined
    return {
      salt1: header.readUInt32BE(16),
      salt2: header.readUInt32BE(20),
      pageSize: header.readUInt32BE(8),
      bigEndianChecksum: (header[3]! & 1) === 1,
      checksum: { s0: header.readUInt32BE(24), s1: header.readUInt32BE(28) },
    }
  }

  /** Fills `target` from byte `offset` on; fewer bytes than asked for mean the end of the file. */
  readInto(offset: number, target: Uint8Array): number {
    const fd = this.#open()
    if (fd === undefined) return 0
    let filled = 0
    while (filled < target.length) {
      const bytes = readSync(fd, target, filled, target.length - filled, offset + filled)
      if (bytes === 0) break
      filled += bytes
    }
    return filled
  }

  /** Makes what was written so far durable; the checkpoint that follows then has less to wait for. */
  sync(): void {
    const fd = this.#open()
    if (fd !== undefined) fdatasyncSync(fd)
  }

  /** Size of the file in bytes, 0 without one. */
  sizeBytes(): number {
    const fd = this.#open()
    return fd === undefined ? 0 : fstatSync(fd).size
  }

  /** True when the path leads to another file than the one that is read, or to none: somebody removed it. */
  wasReplaced(): boolean {
    if (this.#fd === undefined) return false
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false })
    return found?.ino !== this.#inode
  }

  /** Closes the descriptor; the next read opens the path anew. Idempotent. */
  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(): number | undefined {
    if (this.#fd !== undefined) return this.#fd
    try {
      this.#fd = openSync(this.path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    this.#inode = fstatSync(this.#fd, { bigint: true }).ino
    return this.#fd
  }
}

/** Bytes of one frame. */
export function frameBytes(pageSize: number): number {
  return WAL_FRAME_HEADER_BYTES + pageSize
}

/** Offset in the file of frame `index`, counted from 0; also the size of a WAL with that many frames. */
export function frameOffset(index: number, pageSize: number): number {
  return WAL_HEADER_BYTES + index * frameBytes(pageSize)
}

/** True when both salts are equal. */
export function sameSalts(a: Salts, b: Salts): boolean {
  return a.salt1 === b.salt1 && a.salt2 === b.salt2
}
