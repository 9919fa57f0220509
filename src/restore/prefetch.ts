import type { LTXBytes } from '../../ltx/index.ts'
import type { LTXFileInfo } from '../../replica/index.ts'

/** Files up to this size are fetched whole, ahead of their turn; larger ones are streamed at their turn. */
export const SMALL_FILE_BYTES: number = 4 * 1024 * 1024

const MAX_BYTES_AHEAD = 64 * 1024 * 1024

/** Opens a file's bytes; `signal` ends it. */
export type OpenFile = (file: LTXFileInfo, signal: AbortSignal) => AsyncIterable<Uint8Array>

interface Slot {
  file: LTXFileInfo
  heldBytes: number
  bytes: () => Promise<LTXBytes> | LTXBytes
}

/**
 * Hands out files in order while the next small ones are being fetched: at most `parallelism` of them and 64 MiB.
 * A round trip per file would otherwise set the pace of a restore from many small files.
 */
export class Prefetcher {
  readonly #files: readonly LTXFileInfo[]
  readonly #open: OpenFile
  readonly #parallelism: number
  readonly #abort = new AbortController()
  readonly #slots: Slot[] = []
  #started = 0
  #heldBytes = 0

  constructor(files: readonly LTXFileInfo[], open: OpenFile, parallelism: number) {
    this.#files = files
    this.#open = open
    this.#parallelism = Math.max(1, parallelism)
  }

  /** The next file with its bytes, in order; undefined after the last. The one before is let go. */
  async next(): Promise<{ file: LTXFileInfo; bytes: LTXBytes } | undefined> {
    this.#fill()
    const slot = this.#slots[0]
    if (slot === undefined) return undefined
    const bytes = await slot.bytes()
    this.#slots.shift()
    this.#heldBytes -= slot.heldBytes
    this.#fill()
    return { file: slot.file, bytes }
  }

  /** Ends all fetches under way. Idempotent. */
  close(): void {
    this.#abort.abort()
    this.#slots.length = 0
  }

  #fill(): void {
    while (this.#slots.length < this.#parallelism && this.#started < this.#files.length) {
      const file = this.#files[this.#started]!
      const small = file.sizeBytes <= SMALL_FILE_BYTES
      if (small && this.#slots.length > 0 && this.#heldBytes + file.sizeBytes > MAX_BYTES_AHEAD) return
      this.#started++
      this.#slots.push(small ? this.#fetch(file) : this.#stream(file))
    }
  }

  #fetch(file: LTXFileInfo): Slot {
    this.#heldBytes += file.sizeBytes
    const whole = collect(this.#open(file, this.#abort.signal))
    // A failure is told when the file's turn comes; until then it must not count as unhandled.
    whole.catch(() => {})
    return { file, heldBytes: file.sizeBytes, bytes: () => whole }
  }

  #stream(file: LTXFileInfo): Slot {
    return { file, heldBytes: 0, bytes: () => readAhead(this.#open(file, this.#abort.signal)) }
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

/** Asks for the next chunk while the one before is in use, so that reading and decoding overlap. */
async function* readAhead(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const source = chunks[Symbol.asyncIterator]()
  let pending = source.next()
  try {
    for (;;) {
      const item = await pending
      if (item.done === true) return
      pending = source.next()
      // A failure is told when it is awaited; until then it must not count as unhandled.
      pending.catch(() => {})
      yield item.value
    }
  } finally {
    await pending.catch(() => {})
    await source.return?.()
  }
}
