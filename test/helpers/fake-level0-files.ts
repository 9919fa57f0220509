import type { TXID } from '../../ltx/index.ts'
import { positionHeader } from '../../src/capture/position.ts'
import type { Level0File, Level0Folder } from '../../src/state/level0-folder.ts'

/** What a file is to say; the rest is the same for all. */
export interface FakeLevel0File {
  readonly minTXID: TXID
  readonly maxTXID?: TXID
  readonly timestampMs?: number
  readonly fill?: number
  readonly pages?: number
  readonly pageSize?: number
}

export const FAKE_TIME_MS: number = Date.UTC(2026, 0, 1)

/** Publishes a real level-0 file, of a database that nobody has. */
export function publishFake(level0: Level0Folder, file: FakeLevel0File): Level0File {
  const { minTXID, maxTXID = minTXID, timestampMs = FAKE_TIME_MS, fill = 1, pages = 1, pageSize = 512 } = file
  const position = {
    txid: maxTXID,
    pageSize,
    commit: pages,
    salt1: 7,
    salt2: 1001,
    frames: Number(maxTXID),
    checksum: { s0: Number(maxTXID), s1: 2 },
    bootID: Buffer.alloc(8, 3),
  }
  const draft = level0.begin(positionHeader({ position, minTXID, firstFrame: 0, timestampMs }))
  for (let pgno = 1; pgno <= pages; pgno++) draft.writePage(pgno, Buffer.alloc(pageSize, fill))
  return draft.publish()
}
