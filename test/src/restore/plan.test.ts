import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatLTXFileName, parseTXID } from '../../../ltx/index.ts'
import { openReplica, type LTXFileInfo } from '../../../replica/index.ts'
import { planRestore, type RestoreTarget } from '../../../src/restore/index.ts'
import { copyFixtureReplica, readExpected } from '../../helpers/fixture-replica.ts'
import { listerOf } from './restore-ground.ts'

const nowMs = 2_000_000_000_000

function file(level: number, min: number, max: number, createdAtMs = max * 1000): LTXFileInfo {
  return { level, minTXID: BigInt(min), maxTXID: BigInt(max), sizeBytes: 200, createdAtMs }
}

function plan(files: readonly LTXFileInfo[], target: RestoreTarget = {}, from?: bigint) {
  return planRestore(listerOf(files), target, { nowMs, ...(from === undefined ? {} : { from }) })
}

async function names(planned: ReturnType<typeof plan>): Promise<string[]> {
  return (await planned).files.map((f) => `${f.level}:${f.minTXID}-${f.maxTXID}`)
}

function fails(code: string, message?: RegExp) {
  return expect.objectContaining({
    name: 'RestoreError',
    code,
    ...(message === undefined ? {} : { message: expect.stringMatching(message) as string }),
  }) as Error
}

describe.each(['replica-file', 'replica-litestream'])('%s', (name) => {
  test('the plan for every known target is the one that Litestream made', async () => {
    const replica = await copyFixtureReplica(name)
    const client = await openReplica(replica.url)
    const { restores } = await readExpected(name)
    const targets = Object.keys(restores).filter((key) => key === 'latest' || parseTXID(key) !== undefined)
    expect(targets.length).toBeGreaterThanOrEqual(8)
    for (const key of targets) {
      const txid = parseTXID(key)
      const target = txid === undefined ? {} : { txid }
      const made = await planRestore((level, o) => client.ltxFiles(level, o), target, { nowMs })
      const paths = made.files.map((f) => {
        return `ltx/${f.level}/${formatLTXFileName(f.minTXID, f.maxTXID)}`
      })
      expect({ key, paths }).toEqual({ key, paths: restores[key]!.plan })
    }
    await client.close()
    await replica.remove()
  })
})

/** All positions that any choice of files leads to, by trying every step. */
function reachable(files: readonly LTXFileInfo[], bound: bigint): Set<bigint> {
  const found = new Set<bigint>([0n])
  for (const at of found) {
    for (const f of files) {
      if (f.minTXID <= at + 1n && f.maxTXID > at && f.maxTXID <= bound) found.add(f.maxTXID)
    }
  }
  return found
}

const fileSets = fc.array(
  fc
    .record({
      level: fc.integer({ min: 0, max: 9 }),
      min: fc.integer({ min: 1, max: 14 }),
      span: fc.nat({ max: 9 }),
    })
    .map(({ level, min, span }) => file(level, level === 9 ? 1 : min, min + span)),
  { maxLength: 14 },
)

describe('big and small files that overlap, repeat or are missing', () => {
  test('a txid is planned exactly if any choice of files leads to it, and the plan is such a choice', async () => {
    await fc.assert(
      fc.asyncProperty(fileSets, fc.integer({ min: 1, max: 24 }), async (files, wanted) => {
        const txid = BigInt(wanted)
        const possible = reachable(files, txid).has(txid)
        const made = await plan(files, { txid }).catch((error: unknown) => error)
        expect({ possible, planned: !(made instanceof Error) }).toEqual({ possible, planned: possible })
        if (made instanceof Error) return
        let at = 0n
        for (const f of (made as Awaited<ReturnType<typeof plan>>).files) {
          expect(f.minTXID <= at + 1n && f.maxTXID > at).toBe(true)
          at = f.maxTXID
        }
        expect(at).toBe(txid)
      }),
      { numRuns: 3000 },
    )
  })

  test('the newest state is planned exactly if the highest txid can be reached', async () => {
    await fc.assert(
      fc.asyncProperty(fileSets, async (files) => {
        const newest = files.reduce((max, f) => (f.maxTXID > max ? f.maxTXID : max), 0n)
        const possible = files.length > 0 && reachable(files, newest).has(newest)
        const made = await plan(files).catch((error: unknown) => error)
        if (possible) expect(made).toMatchObject({ maxTXID: newest })
        else expect(made).toMatchObject({ code: files.length === 0 ? 'RESTORE_NO_BACKUPS' : 'RESTORE_GAP' })
      }),
      { numRuns: 3000 },
    )
  })

  test('a restore that has come to any position continues from there if any choice does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fileSets,
        fc.integer({ min: 1, max: 24 }),
        fc.nat({ max: 23 }),
        async (files, wanted, from) => {
          fc.pre(from < wanted)
          const txid = BigInt(wanted)
          const start = file(0, 1, Math.max(from, 1))
          const possible = from > 0 && reachable([start, ...files], txid).has(txid)
          fc.pre(from > 0)
          const made = await plan(files, { txid }, BigInt(from)).catch((error: unknown) => error)
          expect(!(made instanceof Error)).toBe(possible)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

test('a level-0 file that starts at the first transaction can start a chain', async () => {
  expect(await names(plan([file(0, 1, 3), file(0, 4, 9)]))).toEqual(['0:1-3', '0:4-9'])
})

test('a newest snapshot that leads nowhere does not hide an older one that does', async () => {
  const files = [file(9, 1, 5), file(9, 1, 8), file(1, 6, 12)]
  expect(await names(plan(files, { txid: 12n }))).toEqual(['9:1-8', '1:6-12'])
  expect(await names(plan([file(9, 1, 8), file(0, 1, 3), file(0, 4, 4)], { txid: 4n }))).toEqual([
    '0:1-3',
    '0:4-4',
  ])
})

test('files that a chain has overtaken are passed over', async () => {
  const files = [file(9, 1, 10), file(2, 3, 12), file(1, 5, 11), file(0, 12, 12), file(0, 13, 13)]
  expect(await names(plan(files))).toEqual(['9:1-10', '2:3-12', '0:13-13'])
})

test('a listing is read one file at a time, however long it is', async () => {
  const opened = new Map<number, number>()
  async function* list(level: number): AsyncGenerator<LTXFileInfo> {
    opened.set(level, (opened.get(level) ?? 0) + 1)
    if (level === 9) yield file(9, 1, 1)
    if (level !== 0) return
    for (let txid = 2; txid <= 20_000; txid++) yield file(0, txid, txid)
  }
  const made = await planRestore(list, {}, { nowMs })
  expect(made.files.length).toBe(20_000)
  expect(Math.max(...opened.values())).toBeLessThanOrEqual(2)
})

test('an empty replica has no backups', async () => {
  for (const target of [{}, { txid: 1n }, { timestampMs: 5 }]) {
    await expect(plan([], target)).rejects.toThrow(fails('RESTORE_NO_BACKUPS'))
  }
})

test('a txid beyond the newest, inside a compacted file, or older than the base is not available', async () => {
  const files = [file(9, 1, 10), file(1, 11, 15), file(0, 16, 16)]
  for (const txid of [3n, 12n, 17n]) {
    await expect(plan(files, { txid })).rejects.toThrow(fails('RESTORE_TXID_NOT_AVAILABLE'))
  }
  await expect(plan(files, { txid: 12n })).rejects.toMatchObject({
    hint: expect.stringContaining('a') as string,
  })
  expect((await plan(files, { txid: 15n })).maxTXID).toBe(15n)
})

test('a missing file is a gap that names both its ends, for the newest state, a txid and a time', async () => {
  const files = [file(9, 1, 4), file(0, 5, 5), file(0, 7, 7), file(0, 8, 8)]
  const gap = fails('RESTORE_GAP', /have up to 0000000000000005, the next file starts at 0000000000000007/)
  await expect(plan(files)).rejects.toThrow(gap)
  await expect(plan(files, { txid: 8n })).rejects.toThrow(gap)
  await expect(plan(files, { timestampMs: 8000 })).rejects.toThrow(gap)
  expect((await plan(files, { txid: 5n })).maxTXID).toBe(5n)
  expect((await plan(files, { timestampMs: 6999 })).maxTXID).toBe(5n)
})

test('a chain without its base is a gap', async () => {
  await expect(plan([file(0, 5, 5), file(0, 6, 6)])).rejects.toThrow(fails('RESTORE_GAP'))
})

test('both a txid and a time are refused', async () => {
  await expect(plan([file(9, 1, 1)], { txid: 1n, timestampMs: 1 })).rejects.toThrow(
    fails('RESTORE_CONFLICTING_TARGET'),
  )
})

describe('by time', () => {
  const files = [file(9, 1, 4), file(0, 5, 5), file(0, 6, 6), file(0, 7, 7)]

  test.each([
    [4000, 4n],
    [4999, 4n],
    [5000, 5n],
    [6999, 6n],
    [7000, 7n],
  ])(
    '%i ms gives the state captured then or last before, that very millisecond included',
    async (timestampMs, txid) => {
      expect(await plan(files, { timestampMs })).toMatchObject({ maxTXID: txid, beyondNewest: false })
    },
  )

  test('a time after the newest file and not in the future gives the newest and says so', async () => {
    expect(await plan(files, { timestampMs: nowMs })).toMatchObject({ maxTXID: 7n, beyondNewest: true })
  })

  test.each([3999, 0, -1, nowMs + 1, Number.NaN])('%d ms is out of range', async (timestampMs) => {
    await expect(plan(files, { timestampMs })).rejects.toThrow(fails('RESTORE_TIME_OUT_OF_RANGE'))
  })

  test('a writer whose clock is ahead of ours is not in the future', async () => {
    const ahead = [file(9, 1, 1, nowMs + 60_000)]
    expect(await plan(ahead, { timestampMs: nowMs + 60_000 })).toMatchObject({ maxTXID: 1n })
  })

  test('a clock that was set back does not tear the chain', async () => {
    const back = [file(9, 1, 4, 4000), file(0, 5, 5, 9000), file(0, 6, 6, 4500), file(0, 7, 7, 9500)]
    expect((await plan(back, { timestampMs: 5000 })).maxTXID).toBe(6n)
  })

  test('a snapshot taken later of a state captured before serves that state', async () => {
    const late = [file(9, 1, 4, 50_000), file(0, 4, 4, 4000), file(0, 5, 5, 60_000)]
    expect(await names(plan(late, { timestampMs: 4000 }))).toEqual(['9:1-4'])
  })

  test('a state that is known to have been there but cannot be restored is no reason to give an older one', async () => {
    const lost = [file(9, 1, 2, 2000), file(1, 4, 5, 5000), file(9, 1, 8, 8000)]
    await expect(plan(lost, { timestampMs: 6000 })).rejects.toThrow(fails('RESTORE_TXID_NOT_AVAILABLE'))
  })
})
