import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { formatTXID, parseTXID, type TXID } from '../../ltx/index.ts'
import type { FileFingerprint } from '../sqlite/database-file.ts'

/**
 * Proof that everything up to a TXID is in the database file itself, with nothing of the WAL missing from it: as
 * long as the file is the same to the nanosecond, whatever the WAL holds came after that TXID.
 */
export interface SealRecord {
  readonly txid: TXID
  readonly file: FileFingerprint
}

const NAME = 'sealed.json'

/** Writes the record, durably and at once or not at all. Synchronous. */
export function writeSealRecord(stateFolder: string, record: SealRecord): void {
  const path = join(stateFolder, NAME)
  const temporaryPath = `${path}.tmp`
  const fd = openSync(temporaryPath, 'w', 0o600)
  try {
    writeSync(fd, JSON.stringify({ txid: formatTXID(record.txid), file: record.file }))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporaryPath, path)
}

/** The record, or undefined when there is none or it cannot be read as one: then nothing is proved. */
export function readSealRecord(stateFolder: string): SealRecord | undefined {
  try {
    const found = JSON.parse(readFileSync(join(stateFolder, NAME), 'utf8')) as {
      txid: string
      file: FileFingerprint
    }
    const txid = parseTXID(found.txid)
    return txid === undefined || typeof found.file !== 'object' ? undefined : { txid, file: found.file }
  } catch {
    return undefined
  }
}

/** True when a record speaks of this very file, unchanged. */
export function provesUnchanged(record: SealRecord, txid: TXID, file: FileFingerprint): boolean {
  const recorded = record.file
  return (
    record.txid === txid &&
    recorded.dev === file.dev &&
    recorded.ino === file.ino &&
    recorded.sizeBytes === file.sizeBytes &&
    recorded.mtimeNs === file.mtimeNs &&
    recorded.ctimeNs === file.ctimeNs
  )
}
