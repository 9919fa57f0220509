import { readSync } from 'node:fs'

/** Random access to the bytes of a WAL, synchronous because capture of a commit is a few system calls. */
export interface WALSource {
  /**
   * Fills `buffer` from byte `offset` of the WAL. Returns the bytes read: fewer than asked for only at the end of
   * the file, 0 beyond it.
   */
  readInto(offset: number, buffer: Uint8Array): number
}

/** A WAL behind an open descriptor of a `-wal` file. The descriptor stays the caller's. */
export class FileWALSource implements WALSource {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  readInto(offset: number, buffer: Uint8Array): number {
    let filled = 0
    while (filled < buffer.length) {
      const got = readSync(this.#fd, buffer, filled, buffer.length - filled, offset + filled)
      if (got === 0) break
      filled += got
    }
    return filled
  }
}

/** A WAL in memory. The bytes stay the caller's and are read at each call. */
export class BufferWALSource implements WALSource {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  readInto(offset: number, buffer: Uint8Array): number {
    const part = this.#bytes.subarray(offset, offset + buffer.length)
    buffer.set(part)
    return part.length
  }
}
