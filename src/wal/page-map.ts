import type { WALReader } from './wal-reader.ts'

/** Which frame of a WAL holds the newest committed copy of each page. */
export interface PageMap {
  /** Page number to the byte offset of its frame in the WAL; only pages up to `commit`. In no order. */
  pages: Map<number, number>
  /** Size of the database in pages after the last commit frame that was taken; 0 if there was none. */
  commit: number
  /** Byte offset after the last commit frame that was taken; where the walk started if there was none. */
  endOffset: number
  /** Whether the walk ended at the limit and more may follow. */
  limited: boolean
}

/**
 * Reads frames up to the last commit frame, or up to the first one at or beyond `limitBytes` from the start.
 *
 * A transaction larger than the limit is never split. Frames after the last commit frame are left out, and the
 * reader is past them: start a new one at `endOffset` to read them again. Pages beyond the last `commit` are
 * dropped, since the database shrank.
 */
export function readPageMap(reader: WALReader, options: { limitBytes?: number } = {}): PageMap {
  const startOffset = reader.offset
  const map: PageMap = { pages: new Map(), commit: 0, endOffset: startOffset, limited: false }
  const transaction = new Map<number, number>()
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    transaction.set(frame.pgno, frame.offset)
    if (frame.commit === 0) continue
    for (const [pgno, offset] of transaction) map.pages.set(pgno, offset)
    transaction.clear()
    map.commit = frame.commit
    map.endOffset = reader.offset
    if (options.limitBytes !== undefined && reader.offset - startOffset >= options.limitBytes) {
      map.limited = true
      break
    }
  }
  for (const pgno of map.pages.keys()) if (pgno > map.commit) map.pages.delete(pgno)
  return map
}

/**
 * Walks a reader to where its checksum chain ends and collects the number of every page that a frame carries,
 * committed or not. For a generation of which nothing but the page numbers is wanted.
 */
export function readPageNumbers(reader: WALReader): Set<number> {
  const pgnos = new Set<number>()
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) pgnos.add(frame.pgno)
  return pgnos
}
