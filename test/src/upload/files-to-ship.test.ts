import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { filesToShip } from '../../../src/upload/files-to-ship.ts'
import { readCoverage, type TXIDSpan } from '../../../src/upload/replica-coverage.ts'
import { FakeReplicaClient } from '../../helpers/fake-replica-client.ts'

function span(minTXID: number, maxTXID: number = minTXID): TXIDSpan {
  return { minTXID: BigInt(minTXID), maxTXID: BigInt(maxTXID) }
}

async function ship(
  local: readonly TXIDSpan[],
  remote: readonly TXIDSpan[],
): Promise<ReturnType<typeof filesToShip>> {
  const client = new FakeReplicaClient()
  for (const { minTXID, maxTXID } of remote) client.hold(minTXID, maxTXID)
  return filesToShip(local, await readCoverage(client))
}

/** How far a restore gets with these files: the first transaction that none of them has, less one. */
function reach(files: readonly TXIDSpan[]): bigint {
  let txid = 0n
  while (files.some(({ minTXID, maxTXID }) => minTXID <= txid + 1n && txid + 1n <= maxTXID)) txid++
  return txid
}

describe('what of the local files a replica needs', () => {
  test.each([
    ['nothing anywhere', [], [], [], 0n, 0n],
    ['all, of an empty replica', [span(1), span(2)], [], [span(1), span(2)], 0n, 2n],
    ['what comes after it', [span(1), span(2), span(3)], [span(1, 2)], [span(3)], 2n, 3n],
    ['what fills a hole', [span(1), span(2), span(3)], [span(1), span(3)], [span(2)], 1n, 3n],
    ['a snapshot over several', [span(2), span(2, 5)], [span(1)], [span(2, 5)], 1n, 5n],
    ['nothing beyond a gap that nothing fills', [span(3), span(4)], [span(1)], [], 1n, 1n],
    ['nothing of a replica without a beginning', [span(6)], [span(3, 5)], [], 0n, 0n],
  ] as const)('%s', async (_what, local, remote, files, replicatedTXID, reachableTXID) => {
    expect(await ship(local, remote)).toEqual({ files, replicatedTXID, reachableTXID })
  })

  const spans = fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 4 }))
      .map(([min, more]) => span(min, min + more)),
    { maxLength: 8 },
  )

  test('any files: all that a restore can reach, each one continues what is there, none is in vain', async () => {
    await fc.assert(
      fc.asyncProperty(spans, spans, async (local, remote) => {
        const { files, replicatedTXID, reachableTXID } = await ship(local, remote)
        expect(replicatedTXID).toBe(reach(remote))
        expect(reachableTXID).toBe(reach([...local, ...remote]))
        expect(reach([...files, ...remote])).toBe(reachableTXID)
        for (const [index, file] of files.entries()) {
          const there = [...remote, ...files.slice(0, index)]
          expect(file.minTXID).toBeLessThanOrEqual(reach(there) + 1n)
          expect(reach([...there, file])).toBeGreaterThan(reach(there))
          expect(reach([...remote, ...files.filter((other) => other !== file)])).toBeLessThan(reachableTXID)
        }
      }),
      { numRuns: 500 },
    )
  })
})
