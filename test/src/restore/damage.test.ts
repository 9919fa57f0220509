import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { formatLTXFileName } from '../../../ltx/index.ts'
import { openReplica, type ReplicaClient } from '../../../replica/index.ts'
import { restore, RestoreError } from '../../../src/restore/index.ts'
import { copyFixtureReplica } from '../../helpers/fixture-replica.ts'
import { chain, failure, level0, pageSize, quickClock, stateOf } from './chain-ground.ts'
import { encodeFile, namesIn, page, testFolder } from './restore-ground.ts'

async function flipAndRestore(
  client: ReplicaClient,
  path: string,
  at: number,
  expected: Buffer,
): Promise<void> {
  const good = readFileSync(path)
  const bad = Buffer.from(good)
  bad[at]! ^= 1 << (at % 8)
  writeFileSync(path, bad)
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  try {
    await restore({ client, outputPath, clock: quickClock() })
    expect(readFileSync(outputPath).equals(expected)).toBe(true)
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error
    expect(['RESTORE_DAMAGED_FILE', 'RESTORE_MISMATCH', 'RESTORE_NO_SPACE']).toContain(error.code)
    expect(namesIn(folder)).toEqual([])
  } finally {
    writeFileSync(path, good)
  }
}

describe('files that do not belong together', () => {
  test('a database that grows without the pages it grows by is a hole, not zeros', async () => {
    for (const given of [[], [12], [13], [12, 14]]) {
      const replica = chain(1).add({
        min: 2,
        max: 2,
        pageSize,
        commit: 14,
        pages: given.map((n) => [n, page(pageSize, n, 2)] as const),
      })
      await using client = await replica.open()
      expect(await failure(client)).toMatchObject({
        code: 'RESTORE_HOLE',
        path: expect.stringContaining('level 0') as string,
      })
    }
  })

  test('a file under the name of another is refused', async () => {
    const replica = chain(2).add({ min: 3, max: 3, pageSize, commit: 11, pages: [] }, encodeFile(level0(2)))
    await using client = await replica.open()
    expect(await failure(client)).toMatchObject({ code: 'RESTORE_MISMATCH' })
  })

  test('another page size is refused', async () => {
    const replica = chain(2).add({
      min: 3,
      max: 3,
      pageSize: 1024,
      commit: 11,
      pages: [[1, page(1024, 1, 3)]],
    })
    await using client = await replica.open()
    expect(await failure(client)).toMatchObject({
      code: 'RESTORE_MISMATCH',
      message: expect.stringMatching(/1024.*512/) as string,
    })
  })

  test('empty and cut files are damage', async () => {
    for (const length of [0, 1, 99, 100, 150]) {
      const replica = chain(2).add(
        { min: 3, max: 3, pageSize, commit: 11, pages: [] },
        encodeFile(level0(3)).subarray(0, length),
      )
      await using client = await replica.open()
      expect(await failure(client)).toMatchObject({ code: 'RESTORE_DAMAGED_FILE' })
    }
  })
})

describe('damage at any byte', () => {
  test('of every file of a small replica fails the restore, or gives the exact bytes, and leaves no files', async () => {
    const replica = chain(3)
    await using client = await replica.open()
    const expected = stateOf(3)
    for (const name of [
      '9/' + formatLTXFileName(1n, 1n),
      '0/' + formatLTXFileName(2n, 2n),
      '0/' + formatLTXFileName(3n, 3n),
    ]) {
      const path = join(replica.folder, 'ltx', name)
      const { length } = readFileSync(path)
      for (let at = 0; at < length; at++) await flipAndRestore(client, path, at, expected)
    }
  })

  test("of a sample of Litestream's files does the same", async () => {
    const replica = await copyFixtureReplica('replica-litestream')
    onTestFinished(() => replica.remove())
    await using client = await openReplica(replica.url)
    const outputPath = join(testFolder(), 'good.db')
    const { files } = await restore({ client, outputPath })
    const expected = readFileSync(outputPath)
    const seed = Date.now() % 1_000_000
    let x = seed
    const next = (below: number): number => {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0
      return Math.floor((x / 2 ** 32) * below)
    }
    for (let i = 0; i < 150; i++) {
      const { level, minTXID, maxTXID, sizeBytes } = files[next(files.length)]!
      const path = join(replica.folder, 'ltx', String(level), formatLTXFileName(minTXID, maxTXID))
      const at = next(sizeBytes)
      try {
        await flipAndRestore(client, path, at, expected)
      } catch (error) {
        throw new Error(`seed ${seed}, ${path} at byte ${at}`, { cause: error })
      }
    }
  })
})
