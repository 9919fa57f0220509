import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ReplicaClient } from '../../../replica/index.ts'
import type { Clock } from '../../../src/clock.ts'
import { restore } from '../../../src/restore/index.ts'
import { namesIn, page, pages, SyntheticReplica, testFolder, type SyntheticFile } from './restore-ground.ts'

/** Page size of the chains here. */
export const pageSize = 512

/** Does not wait, and remembers for how long it should have. */
export function quickClock(): Clock & { waits: number[] } {
  const waits: number[] = []
  return {
    waits,
    now: Date.now,
    monotonicMs: () => performance.now(),
    sleep: (ms) => {
      waits.push(ms)
      return Promise.resolve()
    },
  }
}

/** A snapshot of TXID 1 and level-0 files 2 to `last`, each writing page `txid % 10 + 1` and page 1. */
export function chain(last: number): SyntheticReplica {
  const replica = new SyntheticReplica()
  replica.add({ level: 9, min: 1, max: 1, pageSize, commit: 11, pages: pages(pageSize, 1, 11, 1) })
  for (let txid = 2; txid <= last; txid++) replica.add(level0(txid))
  return replica
}

/** Level-0 file of one transaction: page 1 and one other. */
export function level0(txid: number): SyntheticFile & { pages: (readonly [number, Uint8Array])[] } {
  const changed = [...new Set([1, (txid % 10) + 2])]
  return {
    min: txid,
    max: txid,
    pageSize,
    commit: 11,
    pages: changed.map((n) => [n, page(pageSize, n, txid)] as const),
  }
}

/** The database after transaction `last`. */
export function stateOf(last: number): Buffer {
  const versions = Array<number>(12).fill(1)
  for (let txid = 2; txid <= last; txid++) for (const [pgno] of level0(txid).pages) versions[pgno] = txid
  return Buffer.concat(pages(pageSize, 1, 11, 0).map(([pgno]) => page(pageSize, pgno, versions[pgno]!)))
}

/** Adds the compacted file of transactions `min` to `max`. */
export function addCompacted(replica: SyntheticReplica, level: number, min: number, max: number): void {
  const newest = new Map<number, Uint8Array>()
  for (let txid = min; txid <= max; txid++)
    for (const [pgno, data] of level0(txid).pages) newest.set(pgno, data)
  replica.add({ level, min, max, pageSize, commit: 11, pages: [...newest].sort((a, b) => a[0] - b[0]) })
}

/** Restores and returns the bytes; nothing else may be left beside them. */
export async function restored(
  client: ReplicaClient,
  options: { txid?: bigint; clock?: Clock; parallelism?: number } = {},
): Promise<Buffer> {
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  await restore({ client, outputPath, clock: quickClock(), ...options })
  expect(namesIn(folder)).toEqual(['out.db'])
  return readFileSync(outputPath)
}

/** The error of a restore that has to fail and to leave nothing. */
export async function failure(client: ReplicaClient, clock: Clock = quickClock()): Promise<unknown> {
  const folder = testFolder()
  const error: unknown = await restore({ client, outputPath: join(folder, 'out.db'), clock }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(namesIn(folder)).toEqual([])
  return error
}
