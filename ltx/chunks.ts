/**
 * The bytes of a file, in pieces of any size. Each piece may be overwritten by the source once the next is
 * asked for. A source that is not read to its end has its iterator's `return` called.
 */
export type LTXBytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

// Larger pieces are handed on in parts, which bounds what a decoder buffers.
const MAX_CHUNK_BYTES = 1 << 18

/** Pulls the pieces of {@link LTXBytes}, one await each, and lets go of the source early when asked to. */
export class ChunkReader {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  #rest: Uint8Array | undefined
  #ended = false

  constructor(bytes: LTXBytes, signal?: AbortSignal) {
    this.#iterator = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]()
    this.#signal = signal
  }

  /** The next piece, at most 256 KiB; undefined after the last. Rejects with the signal's reason when aborted. */
  async next(): Promise<Uint8Array | undefined> {
    this.#signal?.throwIfAborted()
    const chunk = this.#rest ?? (await this.#pull())
    if (chunk === undefined || chunk.length <= MAX_CHUNK_BYTES) {
      this.#rest = undefined
      return chunk
    }
    this.#rest = chunk.subarray(MAX_CHUNK_BYTES)
    return chunk.subarray(0, MAX_CHUNK_BYTES)
  }

  /** Lets go of the source. Its own failure to end is not waited for and not reported: nothing needs it any more. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    try {
      void Promise.resolve(this.#iterator.return?.()).catch(() => undefined)
    } catch {
      // As above.
    }
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const pending = this.#iterator.next()
    const result =
      this.#signal !== undefined && pending instanceof Promise
        ? await untilAborted(pending, this.#signal)
        : await pending
    if (result.done !== true) return result.value
    this.#ended = true
    return undefined
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    // Asking the source for bytes may be what aborted.
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    settled.abort()
  }
}
