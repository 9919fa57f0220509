import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'

const fdatasyncAsync = promisify(fdatasync)

/**
 * Has the kernel write out what a file got so far while more is being prepared, so that the last fsync finds little.
 *
 * One flush at a time. The descriptor is the caller's, who closes it only after {@link settle}.
 */
export class WriteBack {
  readonly #fd: number
  readonly #everyBytes: number
  #dirtyBytes = 0
  #running: Promise<void> | undefined
  #error: unknown

  constructor(fd: number, everyBytes: number) {
    this.#fd = fd
    this.#everyBytes = everyBytes
  }

  /** To be called after each write; starts a flush when enough has gathered. */
  wrote(bytes: number): void {
    this.#dirtyBytes += bytes
    if (this.#dirtyBytes < this.#everyBytes || this.#running !== undefined) return
    this.#dirtyBytes = 0
    this.#running = fdatasyncAsync(this.#fd)
      .catch((error: unknown) => void (this.#error ??= error))
      .finally(() => (this.#running = undefined))
  }

  /** Waits until the descriptor is no longer used. Never rejects. */
  async settle(): Promise<void> {
    await this.#running
  }

  /** Throws what a flush failed with: the kernel tells of it once, and the caller's own fsync would succeed. */
  throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error
  }
}
