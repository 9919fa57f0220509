import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCoverage } from '../../../src/upload/replica-coverage.ts'
import { FakeReplicaClient } from '../../helpers/fake-replica-client.ts'

describe('which transactions a replica holds', () => {
  test('none of an empty one', async () => {
    const coverage = await readCoverage(new FakeReplicaClient())
    expect(coverage).toMatchObject({ highestTXID: 0n, newest: undefined, spans: [] })
    expect(coverage.covers({ minTXID: 1n, maxTXID: 1n })).toBe(false)
  })

  test('files of all levels join, gaps stay', async () => {
    const client = new FakeReplicaClient()
    client.hold(1n, 6n, 9)
    client.hold(5n, 8n, 2)
    client.hold(9n, 9n, 1)
    for (const txid of [12n, 13n, 15n]) client.hold(txid)
    const coverage = await readCoverage(client)
    expect(coverage.spans).toEqual([
      { minTXID: 1n, maxTXID: 9n },
      { minTXID: 12n, maxTXID: 13n },
      { minTXID: 15n, maxTXID: 15n },
    ])
    expect(coverage.highestTXID).toBe(15n)
    expect(coverage.covers({ minTXID: 4n, maxTXID: 9n })).toBe(true)
    expect(coverage.covers({ minTXID: 9n, maxTXID: 10n })).toBe(false)
    expect(coverage.covers({ minTXID: 13n, maxTXID: 15n })).toBe(false)
  })

  test('the file that reaches furthest is the newest, of level 0 where it is among them', async () => {
    const client = new FakeReplicaClient()
    client.hold(1n, 7n, 9)
    client.hold(7n, 7n, 0)
    client.hold(5n, 7n, 1)
    expect((await readCoverage(client)).newest).toMatchObject({ level: 0, minTXID: 7n })
    client.hold(1n, 8n, 9)
    expect((await readCoverage(client)).newest).toMatchObject({ level: 9, maxTXID: 8n })
  })

  test('a transaction is held exactly when a file has it, whatever the files', async () => {
    const file = fc.tuple(
      fc.integer({ min: 1, max: 15 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 9 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 10 }), async (files) => {
        const client = new FakeReplicaClient()
        for (const [min, more, level] of files) client.hold(BigInt(min), BigInt(min + more), level)
        const coverage = await readCoverage(client)
        for (let txid = 1; txid <= 21; txid++) {
          const isHeld = files.some(([min, more]) => min <= txid && txid <= min + more)
          expect(coverage.covers({ minTXID: BigInt(txid), maxTXID: BigInt(txid) })).toBe(isHeld)
        }
        for (const [index, { minTXID }] of coverage.spans.entries())
          if (index > 0) expect(minTXID).toBeGreaterThan(coverage.spans[index - 1]!.maxTXID + 1n)
      }),
    )
  })

  test('a listing that fails is the error of the client', async () => {
    const client = new FakeReplicaClient()
    client.beforeListing = () => {
      throw new Error('out of reach')
    }
    await expect(readCoverage(client)).rejects.toThrow('out of reach')
  })
})
