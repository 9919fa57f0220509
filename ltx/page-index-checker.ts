import { LTXError } from './errors.ts'
import { PageIndexWriter, type PageIndexLog } from './page-index-log.ts'

const EXPECTED_BYTES = 4096

/**
 * Compares a page index that arrives in pieces with the pages that were there, by writing the index that the
 * file must have and comparing bytes; so every number must be in its shortest form, as all writers do it.
 */
export class PageIndexChecker {
  readonly #writer: PageIndexWriter
  readonly #expected = new Uint8Array(EXPECTED_BYTES)
  #at = 0
  #end: number
  #sizeBytes = 0

  constructor(log: PageIndexLog) {
    this.#writer = new PageIndexWriter(log)
    this.#end = this.#writer.write(this.#expected, 0)
  }

  /** True when the whole index has been compared, the zero at its end included. */
  get complete(): boolean {
    return this.#at === this.#end
  }

  /** Number of bytes compared. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /**
   * Compares the bytes from `start` up to `end` as far as the index goes, and returns how many that are.
   * `offset` is the offset in the file of the first, for messages.
   *
   * @throws LTXError `LTX_INDEX_MISMATCH`.
   */
  check(bytes: Uint8Array, start: number, end: number, offset: number): number {
    let at = start
    while (at < end && !this.complete) {
      if (bytes[at] !== this.#expected[this.#at]) {
        const wrongAt = offset + at - start
        throw new LTXError('LTX_INDEX_MISMATCH', `page index disagrees with the pages at ${wrongAt}`, {
          offset: wrongAt,
        })
      }
      at++
      this.#at++
      if (this.#at === this.#end) this.#refill()
    }
    this.#sizeBytes += at - start
    return at - start
  }

  #refill(): void {
    const end = this.#writer.write(this.#expected, 0)
    // Nothing more to write: `at` stays at the end, which says complete.
    if (end === 0) return
    this.#at = 0
    this.#end = end
  }
}
