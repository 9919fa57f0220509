import { Decoder, formatTXID, lockPgno, LTXError, type Header, type LTXBytes } from '../../ltx/index.ts'
import type { LTXFileInfo } from '../../replica/index.ts'
import { RestoreError } from './errors.ts'
import { ltxFileText } from './ltx-file-text.ts'
import type { PageSink } from './page-sink.ts'

/** The database that a file is applied to: its size in pages, and the page size in bytes once one is known. */
export interface DatabaseShape {
  commit: number
  pageSize: number | undefined
}

/**
 * Decodes one file to its end, with every check that the format allows, and hands its pages on.
 *
 * `begin` gets the header before the first page and gives the sink. The file has to agree with its name and with the
 * page size so far, and to hold every page by which the database grew: a page that no file wrote would read as zeros
 * or as what was cut off before. Returns the header.
 *
 * Throws `RestoreError`: `RESTORE_DAMAGED_FILE`, `RESTORE_MISMATCH`, `RESTORE_HOLE`. Pages were handed on before the
 * file's checksum was seen: on an error what was written is of no use.
 */
export async function applyFile(
  file: LTXFileInfo,
  bytes: LTXBytes,
  before: DatabaseShape,
  begin: (header: Header) => Promise<PageSink>,
): Promise<Header> {
  const application = new Application(file, before, begin)
  for await (const chunk of bytes) {
    const pending = application.push(chunk)
    if (pending !== undefined) await pending
  }
  return application.finish()
}

class Application {
  readonly #file: LTXFileInfo
  readonly #before: DatabaseShape
  readonly #begin: (header: Header) => Promise<PageSink>
  readonly #decoder = new Decoder()
  #sink: PageSink | undefined
  #grownPages = 0

  constructor(file: LTXFileInfo, before: DatabaseShape, begin: (header: Header) => Promise<PageSink>) {
    this.#file = file
    this.#before = before
    this.#begin = begin
  }

  async push(chunk: Uint8Array): Promise<void> {
    this.#decode(() => this.#decoder.push(chunk))
    await this.#drain()
  }

  async finish(): Promise<Header> {
    this.#decode(() => this.#decoder.end())
    await this.#drain()
    const { header } = this.#decoder
    if (header === undefined)
      throw new RestoreError('RESTORE_DAMAGED_FILE', `no header in ${ltxFileText(this.#file)}`)
    // A file without pages still decides about the size, and about the sink of an empty database.
    if (this.#sink === undefined) await this.#start(header)
    const missing = grownPages(this.#before.commit, header) - this.#grownPages
    if (missing !== 0) throw this.#hole(header, missing)
    return header
  }

  async #drain(): Promise<void> {
    for (;;) {
      const page = this.#decode(() => this.#decoder.next())
      if (page === 'need-input' || page === 'end') return
      const sink = this.#sink ?? (await this.#start(this.#decoder.header!))
      if (page.pgno > this.#before.commit) this.#grownPages++
      const pending = sink.writePage(page.pgno, page.data)
      if (pending !== undefined) await pending
    }
  }

  async #start(header: Header): Promise<PageSink> {
    const { minTXID, maxTXID } = this.#file
    if (header.minTXID !== minTXID || header.maxTXID !== maxTXID) {
      const found = `${formatTXID(header.minTXID)}-${formatTXID(header.maxTXID)}`
      throw this.#mismatch(`header says ${found}`)
    }
    const { pageSize } = this.#before
    if (pageSize !== undefined && header.pageSize !== pageSize) {
      throw this.#mismatch(`page size is ${header.pageSize}, before it was ${pageSize}`)
    }
    this.#sink = await this.#begin(header)
    return this.#sink
  }

  #decode<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof LTXError)) throw error
      throw new RestoreError(
        'RESTORE_DAMAGED_FILE',
        `damaged file: ${ltxFileText(this.#file)}: ${error.message}`,
        {
          cause: error,
          hint: 'an older state may still be whole: restore it with its txid or time',
          path: ltxFileText(this.#file),
        },
      )
    }
  }

  #mismatch(what: string): RestoreError {
    const text = ltxFileText(this.#file)
    return new RestoreError('RESTORE_MISMATCH', `file does not belong here: ${text}: ${what}`, { path: text })
  }

  #hole(header: Header, missing: number): RestoreError {
    const text = ltxFileText(this.#file)
    const grown = `from ${this.#before.commit} to ${header.commit} pages`
    return new RestoreError('RESTORE_HOLE', `database grows ${grown} without ${missing} of them: ${text}`, {
      hint: 'the replica never held these pages; restore a state before this file or after a newer snapshot',
      path: text,
    })
  }
}

/** How many pages the file must hold beyond the old size: all but the lock page, which no file holds. */
function grownPages(commitBefore: number, header: Header): number {
  if (header.commit <= commitBefore) return 0
  const lock = lockPgno(header.pageSize)
  const lockInside = lock > commitBefore && lock <= header.commit
  return header.commit - commitBefore - (lockInside ? 1 : 0)
}
