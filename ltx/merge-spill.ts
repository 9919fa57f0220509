import { randomUUID } from 'node:crypto'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { LTXError } from './errors.ts'
import type { LTXSource } from './merge-input.ts'

/** Memory that all intermediate files of one merge share, in bytes; it goes down as they are kept. */
export interface SpillBudget {
  memoryBytes: number
}

const READ_BYTES = 64 * 1024

/**
 * One intermediate file of a merge: in memory while the budget lasts, then in a temporary file
 * `ltx-merge-<uuid>.tmp`. Write it, read it once through `source`, `dispose` of it. A process that dies leaves
 * the file behind; whoever owns the folder clears it.
 */
export class MergeSpill {
  readonly #folder: string | undefined
  readonly #budget: SpillBudget
  #chunks: Uint8Array[] = []
  #heldBytes = 0
  #path: string | undefined
  #file: FileHandle | undefined

  constructor(folder: string | undefined, budget: SpillBudget) {
    this.#folder = folder
    this.#budget = budget
  }

  /**
   * Adds a piece, which then belongs to the spill.
   *
   * @throws LTXError `LTX_SPILL_FOLDER_NEEDED`; whatever the file system rejects with.
   */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#file !== undefined) return this.#append(chunk)
    if (chunk.length > this.#budget.memoryBytes) return this.#moveToFile(chunk)
    this.#budget.memoryBytes -= chunk.length
    this.#heldBytes += chunk.length
    this.#chunks.push(chunk)
  }

  /** The file as the input of another merge. */
  source(name: string): LTXSource {
    return { name, open: () => (this.#file === undefined ? this.#chunks : readAll(this.#file)) }
  }

  /** Frees memory and file. */
  async dispose(): Promise<void> {
    this.#releaseMemory()
    const file = this.#file
    this.#file = undefined
    await file?.close()
    if (this.#path !== undefined) await unlink(this.#path)
    this.#path = undefined
  }

  async #moveToFile(chunk: Uint8Array): Promise<void> {
    if (this.#folder === undefined) {
      throw new LTXError('LTX_SPILL_FOLDER_NEEDED', 'merge is too large for memory', {
        hint: 'pass spillFolder, or fewer inputs at a time',
      })
    }
    const path = join(this.#folder, `ltx-merge-${randomUUID()}.tmp`)
    this.#file = await open(path, 'wx+', 0o600)
    this.#path = path
    const chunks = this.#chunks
    for (const held of chunks) await this.#append(held)
    this.#releaseMemory()
    await this.#append(chunk)
  }

  async #append(chunk: Uint8Array): Promise<void> {
    await this.#file!.appendFile(chunk)
  }

  #releaseMemory(): void {
    this.#chunks = []
    this.#budget.memoryBytes += this.#heldBytes
    this.#heldBytes = 0
  }
}

async function* readAll(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ_BYTES)
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
