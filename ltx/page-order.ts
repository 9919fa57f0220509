import { LTXError } from './errors.ts'
import { isSnapshot, type Header } from './header.ts'
import { lockPgno } from './lock-page.ts'

/**
 * Which pages a file may hold, and in what order: ascending, within the database, without the lock page; and
 * in a snapshot every one (LTX v3, rules on pages). The writer and every reader keep to it.
 */
export class PageOrder {
  readonly #commit: number
  readonly #lockPgno: number
  readonly #snapshot: boolean
  #last = 0

  constructor(header: Header) {
    this.#commit = header.commit
    this.#lockPgno = lockPgno(header.pageSize)
    this.#snapshot = isSnapshot(header)
  }

  /**
   * Notes that `pgno` is the next page.
   *
   * @throws LTXError `LTX_INVALID_PGNO`, `LTX_LOCK_PAGE`, `LTX_PAGE_BEYOND_COMMIT`, `LTX_OUT_OF_ORDER`,
   * `LTX_INCOMPLETE_SNAPSHOT`; the page is then not noted.
   */
  accept(pgno: number): void {
    // One comparison in the common case; which rule was broken is found out afterwards.
    const expected = this.#next()
    if (pgno !== expected || pgno > this.#commit) this.#check(pgno, expected)
    this.#last = pgno
  }

  /**
   * Notes that there are no more pages.
   *
   * @throws LTXError `LTX_INCOMPLETE_SNAPSHOT`.
   */
  finish(): void {
    const expected = this.#next()
    if (this.#snapshot && expected <= this.#commit) throw this.#missing(expected)
  }

  #next(): number {
    const next = this.#last + 1
    return next === this.#lockPgno ? next + 1 : next
  }

  #check(pgno: number, expected: number): void {
    if (!(pgno >= 1 && pgno >>> 0 === pgno)) {
      throw new LTXError('LTX_INVALID_PGNO', `invalid page number ${pgno}`, { pgno })
    }
    if (pgno === this.#lockPgno) throw new LTXError('LTX_LOCK_PAGE', `lock page ${pgno} is stored`, { pgno })
    if (pgno > this.#commit) {
      const message = `page ${pgno} is past the end of the database: commit ${this.#commit}`
      throw new LTXError('LTX_PAGE_BEYOND_COMMIT', message, { pgno })
    }
    if (pgno <= this.#last) {
      const message = `page ${pgno} is out of order: it follows page ${this.#last}`
      throw new LTXError('LTX_OUT_OF_ORDER', message, { pgno })
    }
    if (!this.#snapshot) return
    if (this.#last > 0) throw this.#missing(expected)
    const message = `page ${pgno} is out of order: a snapshot starts with page ${expected}`
    throw new LTXError('LTX_OUT_OF_ORDER', message, { pgno })
  }

  #missing(pgno: number): LTXError {
    const message = `snapshot lacks page ${pgno} of ${this.#commit}`
    return new LTXError('LTX_INCOMPLETE_SNAPSHOT', message, { pgno })
  }
}
