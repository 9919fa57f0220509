import type { TXID } from '../../ltx/index.ts'
import type { LTXFileInfo } from '../../replica/index.ts'

/**
 * Walks one level's listing once, in its order, and knows the file that reaches furthest from a position.
 *
 * The position only ever grows, so of all files that join it only the one with the largest maxTXID can matter later:
 * memory is one file, however long the listing is.
 */
export class LevelCursor {
  readonly #files: AsyncIterator<LTXFileInfo>
  readonly #boundTXID: TXID | undefined
  #best: LTXFileInfo | undefined
  #head: LTXFileInfo | undefined
  #started = false

  /** Files that end after `boundTXID` are passed over, unless it is undefined. */
  constructor(files: AsyncIterable<LTXFileInfo>, boundTXID: TXID | undefined) {
    this.#files = files[Symbol.asyncIterator]()
    this.#boundTXID = boundTXID
  }

  /** The file of this level that joins position `txid` (starts at most one after it) and reaches furthest beyond. */
  async furthestFrom(txid: TXID): Promise<LTXFileInfo | undefined> {
    if (!this.#started) await this.#advance()
    while (this.#head !== undefined && this.#head.minTXID <= txid + 1n) {
      this.#best = furthest(this.#best, this.#head)
      await this.#advance()
    }
    return this.#best !== undefined && this.#best.maxTXID > txid ? this.#best : undefined
  }

  /** The first file that starts beyond the position last asked for, if there is one. */
  get beyond(): LTXFileInfo | undefined {
    return this.#head
  }

  /** Ends the listing. */
  async close(): Promise<void> {
    await this.#files.return?.()
  }

  async #advance(): Promise<void> {
    this.#started = true
    for (;;) {
      const item = await this.#files.next()
      this.#head = item.done === true ? undefined : item.value
      if (this.#head === undefined || this.#boundTXID === undefined || this.#head.maxTXID <= this.#boundTXID)
        return
    }
  }
}

/** The better of two files that both join the chain: larger maxTXID, then smaller minTXID, then higher level, then older. */
export function furthest(a: LTXFileInfo | undefined, b: LTXFileInfo): LTXFileInfo {
  if (a === undefined) return b
  if (a.maxTXID !== b.maxTXID) return a.maxTXID > b.maxTXID ? a : b
  if (a.minTXID !== b.minTXID) return a.minTXID < b.minTXID ? a : b
  if (a.level !== b.level) return a.level > b.level ? a : b
  return a.createdAtMs <= b.createdAtMs ? a : b
}
