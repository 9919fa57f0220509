import { readFileSync, rmSync } from 'node:fs'
import { expect } from 'vitest'
import { formatTXID, type TXID } from '../../ltx/index.ts'
import { openReplica } from '../../replica/index.ts'
import { restore } from '../../src/restore/index.ts'

/** Bytes of the database that a replica gives back, at a TXID or at the newest. `scratchPath` is used and freed. */
export async function restoredImage(url: string, scratchPath: string, txid?: TXID): Promise<Buffer> {
  const client = await openReplica(url)
  try {
    await restore({ client, outputPath: scratchPath, ...(txid === undefined ? {} : { txid }) })
    return readFileSync(scratchPath)
  } finally {
    await client.close()
    rmSync(scratchPath, { force: true })
  }
}

/** Fails with the numbers of the pages that differ, which say more than two buffers. */
export function expectSamePages(actual: Buffer, expected: Buffer, what: string): void {
  const pageSize = pageSizeOf(expected)
  const differing: number[] = []
  for (let at = 0; at < Math.max(actual.length, expected.length); at += pageSize) {
    if (!actual.subarray(at, at + pageSize).equals(expected.subarray(at, at + pageSize))) {
      differing.push(at / pageSize + 1)
    }
  }
  expect({ what, pages: actual.length / pageSize, differing }).toEqual({
    what,
    pages: expected.length / pageSize,
    differing: [],
  })
}

/** Name of a state in messages. */
export function stateName(txid: TXID): string {
  return `TXID ${formatTXID(txid)}`
}

function pageSizeOf(image: Buffer): number {
  const stored = image.readUInt16BE(16)
  return stored === 1 ? 65536 : stored
}
