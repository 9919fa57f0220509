import { lockPgno } from '../../ltx/index.ts'
import { WriteBack } from '../disk/write-back.ts'
import type { DatabaseFile } from '../sqlite/database-file.ts'
import type { WALFile } from '../sqlite/wal-file.ts'
import type { Level0Draft } from '../state/level0-folder.ts'
import { FrameBatch } from './frame-batch.ts'
import type { WALPlace } from './wal-cursor.ts'

/** A state of the database that stays readable for as long as the pin is held. */
export interface SnapshotBase {
  /** Up to where the state reaches; `place.commit` is its size in pages. */
  readonly place: WALPlace
  /** Whether the database file alone is the state. Else the frames up to `place` lie over it. */
  readonly isBackfilled: boolean
  readonly database: DatabaseFile
  readonly wal: WALFile
  readonly pageSize: number
}

const READ_BYTES = 1 << 20
const FLUSH_BYTES = 32 << 20

/**
 * Writes every page of the base into a draft, in order, with bounded memory.
 *
 * Reads 1 MiB at a time and lets other work of the thread run in between. Rejects with the signal's reason when
 * aborted; the draft is the caller's to discard.
 */
export async function writeSnapshot(
  base: SnapshotBase,
  draft: Level0Draft,
  signal?: AbortSignal,
): Promise<void> {
  const { place, pageSize } = base
  const newer = base.isBackfilled ? undefined : readFrames(base)
  const lock = lockPgno(pageSize)
  const pagesPerRead = Math.max(1, Math.floor(READ_BYTES / pageSize))
  const block = Buffer.allocUnsafeSlow(pagesPerRead * pageSize)
  const writeBack = new WriteBack(draft.fd, FLUSH_BYTES)
  try {
    for (let first = 1; first <= place.commit; first += pagesPerRead) {
      signal?.throwIfAborted()
      const count = Math.min(pagesPerRead, place.commit - first + 1)
      const bytes = block.subarray(0, count * pageSize)
      base.database.readInto((first - 1) * pageSize, bytes)
      for (let pgno = first; pgno < first + count; pgno++) {
        if (pgno === lock) continue
        const at = (pgno - first) * pageSize
        draft.writePage(pgno, newer?.has(pgno) ? newer.page(pgno) : bytes.subarray(at, at + pageSize))
      }
      writeBack.wrote(bytes.length)
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    await writeBack.settle()
  }
  writeBack.throwIfFailed()
}

function readFrames({ place, wal, pageSize }: SnapshotBase): FrameBatch {
  const frames = new FrameBatch({ wal, pageSize, firstFrame: 0, maxHeldBytes: 0 })
  const range = { salt1: place.salt1, salt2: place.salt2, from: 0, to: place.frames, pageSize }
  if (place.frames > 0 && !frames.append(range, Number.POSITIVE_INFINITY)) {
    throw new Error('the wal changed although it was held')
  }
  return frames
}
