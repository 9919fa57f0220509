import type { TXID } from '../../ltx/index.ts'
import type { Clock } from '../clock.ts'
import type { DatabaseFile } from '../sqlite/database-file.ts'
import { writeSealRecord } from '../state/seal-record.ts'
import type { WALCursor } from './wal-cursor.ts'

// Kernels stamp files by the tick of their timer, 10 ms at the coarsest.
const COARSEST_FILE_TIME_MS = 20

/** A change within one tick of the file system's clock does not show: waits until the file was left alone longer. */
export async function outlastFileTimes(file: DatabaseFile, clock: Clock): Promise<void> {
  if (isJustWritten(file.fingerprint().mtimeNs)) await clock.sleep(COARSEST_FILE_TIME_MS)
}

/**
 * Records that the database file holds everything up to `txid`. False, and no record, when that is not proved: the
 * cursor is not sealed, or the file was written to a moment ago.
 *
 * While the pin sits on slot 0 nobody can write to the file, so what it is now it was when it was sealed.
 */
export function recordSeal(stateFolder: string, txid: TXID, cursor: WALCursor): boolean {
  const file = cursor.database.fingerprint()
  if (!cursor.isSealed || isJustWritten(file.mtimeNs)) return false
  writeSealRecord(stateFolder, { txid, file })
  return true
}

function isJustWritten(mtimeNs: string): boolean {
  // Of the wall clock, as the times of files are; one that lies in the future says nothing, and is no reason to wait.
  const ageMs = Date.now() - Number(BigInt(mtimeNs) / 1_000_000n)
  return ageMs >= 0 && ageMs <= COARSEST_FILE_TIME_MS
}
