import { Encoder, type EncodedFile } from './encoder.ts'
import { hasChecksums, isSnapshot, type Header } from './header.ts'
import { mergeDirect, type DirectMergeOptions, type MergedPage, type MergeTarget } from './merge-direct.ts'
import type { LTXSource } from './merge-input.ts'
import type { PagePayload } from './page-frame.ts'

/**
 * Takes consecutive pieces of a file. A piece is valid until the call has returned and its promise resolved;
 * the next comes only then.
 */
export type ChunkSink = (chunk: Uint8Array) => void | Promise<void>

/** What a merge to a file has written. */
export interface MergedFile extends EncodedFile {
  readonly header: Header
}

/** Options of {@link mergeToFile}. */
export interface FileMergeOptions extends DirectMergeOptions {
  readonly payload?: PagePayload
}

/** Merges `sources`, all open at once, into one file. */
export async function mergeToFile(
  sources: readonly LTXSource[],
  sink: ChunkSink,
  options: FileMergeOptions,
): Promise<MergedFile> {
  const target = new FileTarget(sink, options.payload)
  const merged = await mergeDirect(sources, target, options)
  const file = await target.finish(merged.header, merged.postApplyChecksum)
  return { ...file, header: merged.header }
}

/** An encoder in front of a sink that may have to wait: what comes out meanwhile is kept, two pieces at most. */
class FileTarget implements MergeTarget {
  readonly #sink: ChunkSink
  readonly #payload: PagePayload | undefined
  #encoder: Encoder | undefined
  #waiting: void | Promise<void> = undefined

  constructor(sink: ChunkSink, payload: PagePayload | undefined) {
    this.#sink = sink
    this.#payload = payload
  }

  header(header: Header): void {
    const options = this.#payload === undefined ? {} : { payload: this.#payload }
    this.#encoder = new Encoder(header, (chunk) => this.#give(chunk), options)
  }

  page({ pgno, data, block }: MergedPage): void | Promise<void> {
    const encoder = this.#encoder!
    if (block === undefined) encoder.writePage(pgno, data)
    else encoder.writeCompressedPage(pgno, data, block)
    return this.#takeWaiting()
  }

  async finish(header: Header, postApplyChecksum: bigint): Promise<EncodedFile> {
    // A snapshot may add its checksum up itself, when the last input has none.
    const own = isSnapshot(header) && postApplyChecksum === 0n
    const steps = this.#encoder!.finishInSteps(hasChecksums(header) && !own ? postApplyChecksum : undefined)
    for (;;) {
      const step = steps.next()
      await this.#takeWaiting()
      if (step.done === true) return step.value
    }
  }

  #give(chunk: Uint8Array): void {
    // The sink may go on reading after it has returned, when the encoder's buffer is in use again.
    const copy = chunk.slice()
    const before = this.#waiting
    this.#waiting = before === undefined ? this.#sink(copy) : before.then(() => this.#sink(copy))
  }

  #takeWaiting(): void | Promise<void> {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}
