import type { PageSink } from './page-sink.ts'

const MAX_BYTES = 16 * 1024 * 1024

/**
 * Gathers the pages of many small files in memory, newest copy winning, so that a hot page is written once and pages
 * go out in order. Bounded: when 16 MiB are gathered they are written out.
 */
export class PageOverlay implements PageSink {
  readonly #under: PageSink
  readonly #pages = new Map<number, Uint8Array>()
  #bytes = 0

  constructor(under: PageSink) {
    this.#under = under
  }

  writePage(pgno: number, data: Uint8Array): Promise<void> | undefined {
    const held = this.#pages.get(pgno)
    if (held !== undefined) {
      held.set(data)
      return undefined
    }
    this.#pages.set(pgno, data.slice())
    this.#bytes += data.length
    return this.#bytes >= MAX_BYTES ? this.flush() : undefined
  }

  /** Hands all gathered pages on. Needed before anything newer goes past the overlay, and at the end. */
  async flush(): Promise<void> {
    const pgnos = [...this.#pages.keys()].sort((a, b) => a - b)
    for (const pgno of pgnos) {
      const pending = this.#under.writePage(pgno, this.#pages.get(pgno)!)
      if (pending !== undefined) await pending
    }
    this.#pages.clear()
    this.#bytes = 0
  }
}
