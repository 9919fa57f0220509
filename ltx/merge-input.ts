import { ChunkReader, type LTXBytes } from './chunks.ts'
import { Decoder } from './decoder.ts'
import { LTXError } from './errors.ts'
import type { Header } from './header.ts'
import type { Trailer } from './trailer.ts'

/** A file that can be opened when its turn comes. */
export interface LTXSource {
  /** For messages: the file's name or key. */
  readonly name: string
  /** The bytes of the whole file. Called at most once by a merge. */
  open(): Promise<LTXBytes> | LTXBytes
}

/** Page number of an input that has no more pages. */
export const NO_PAGE: number = Number.POSITIVE_INFINITY

/** One open input of a merge: it stands on a page, or at its verified end. */
export class MergeInput {
  readonly name: string
  readonly #decoder = new Decoder()
  readonly #reader: ChunkReader
  /** Page that the input stands on; {@link NO_PAGE} at the end. */
  pgno = 0
  /** Its bytes, until the input goes on. */
  data: Uint8Array = new Uint8Array(0)

  private constructor(name: string, reader: ChunkReader) {
    this.name = name
    this.#reader = reader
  }

  /**
   * Opens a source and goes to its first page.
   *
   * @throws LTXError with the codes of the decoder; whatever the source rejects with.
   */
  static async open(source: LTXSource, signal: AbortSignal | undefined): Promise<MergeInput> {
    const input = new MergeInput(source.name, new ChunkReader(await source.open(), signal))
    try {
      while (!input.advance()) await input.fill()
      return input
    } catch (error) {
      input.close()
      throw error
    }
  }

  /** The header; there is one from the start. */
  get header(): Header {
    return this.#decoder.header!
  }

  /** The trailer, at the end. */
  get trailer(): Trailer | undefined {
    return this.#decoder.trailer
  }

  /** The LZ4 block that the page came in, valid as long as `data`; undefined when it is not a single one. */
  get block(): Uint8Array | undefined {
    return this.#decoder.compressedPage()
  }

  /**
   * Goes to the next page, or to the end; false when `fill` must come first.
   *
   * @throws LTXError with the codes of the decoder.
   */
  advance(): boolean {
    try {
      const result = this.#decoder.next()
      if (result === 'need-input') return false
      this.pgno = result === 'end' ? NO_PAGE : result.pgno
      if (result !== 'end') this.data = result.data
      return true
    } catch (error) {
      throw LTXError.ofInput(this.name, error)
    }
  }

  /** Reads on in the source. */
  async fill(): Promise<void> {
    const chunk = await this.#reader.next()
    if (chunk === undefined) this.#decoder.end()
    else this.#decoder.push(chunk)
  }

  /** Lets go of the source. */
  close(): void {
    this.#reader.close()
  }
}
