import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatLTXFileName } from '../../../ltx/index.ts'
import { addCompacted, chain, failure, pageSize, quickClock, restored, stateOf } from './chain-ground.ts'
import { page, pages, SyntheticReplica, withFaults } from './restore-ground.ts'

describe('planned files that retention deletes before they are read', () => {
  test.each([1, 2, 8])(
    'are replaced by the compacted file that covers them, %i at a time',
    async (parallelism) => {
      for (const target of [{}, { txid: 20n }]) {
        const replica = chain(20)
        await using client = await replica.open()
        const deleting = withFaults(client, {
          openLTXFile: (file, options) => {
            if (file.minTXID === 7n && existsSync(join(replica.folder, 'ltx/0', formatLTXFileName(7n, 7n)))) {
              addCompacted(replica, 1, 5, 15)
              for (let txid = 5; txid <= 15; txid++) replica.remove(0, txid, txid)
            }
            return client.openLTXFile(file, options)
          },
        })
        expect((await restored(deleting, { ...target, parallelism })).equals(stateOf(20))).toBe(true)
      }
    },
  )

  test('also the snapshot itself, when a newer one took its place', async () => {
    const replica = chain(20)
    await using client = await replica.open()
    const deleting = withFaults(client, {
      openLTXFile: (file, options) => {
        if (
          file.level === 9 &&
          file.maxTXID === 1n &&
          existsSync(join(replica.folder, 'ltx/9', formatLTXFileName(1n, 1n)))
        ) {
          const bytes = stateOf(20)
          const all = pages(pageSize, 1, 11, 0).map(
            ([n]) => [n, bytes.subarray((n - 1) * pageSize, n * pageSize)] as const,
          )
          replica.add({ level: 9, min: 1, max: 20, pageSize, commit: 11, pages: all })
          replica.remove(9, 1, 1)
          for (let txid = 2; txid <= 20; txid++) replica.remove(0, txid, txid)
        }
        return client.openLTXFile(file, options)
      },
    })
    expect((await restored(deleting)).equals(stateOf(20))).toBe(true)
  })

  test('in the middle of a large file too: what it has written already is written again', async () => {
    const size = 65536
    const noisy = (n: number, version: number): Uint8Array => {
      const data = page(size, n, version)
      for (let i = 8, x = n * 31 + version; i < size; i++) {
        x = (Math.imul(x, 1103515245) + 12345) >>> 0
        data[i] = x >>> 16
      }
      return data
    }
    const big = Array.from({ length: 90 }, (_, i) => [i + 1, noisy(i + 1, 2)] as const)
    const replica = new SyntheticReplica()
      .add({ level: 9, min: 1, max: 1, pageSize: size, commit: 60, pages: pages(size, 1, 60, 1) })
      .add({ min: 2, max: 2, pageSize: size, commit: 90, pages: big })
    await using client = await replica.open()
    let cut = false
    const deleting = withFaults(client, {
      openLTXFile: async (file, options) => {
        const bytes = await client.openLTXFile(file, options)
        if (file.minTXID !== 2n || cut || options?.lengthBytes !== undefined || bytes === undefined)
          return bytes
        return (async function* cutShort() {
          let given = 0
          for await (const chunk of bytes) {
            if (given > 3_000_000) {
              cut = true
              replica.remove(0, 2, 2)
              const shrunk = [...big.slice(0, 50), [51, noisy(51, 3)] as const]
              replica.add({ level: 1, min: 2, max: 3, pageSize: size, commit: 51, pages: shrunk })
              throw new Error('connection reset')
            }
            given += chunk.length
            yield chunk
          }
        })()
      },
    })
    const expected = Buffer.concat([...big.slice(0, 50).map(([, data]) => data), noisy(51, 3)])
    expect((await restored(deleting)).equals(expected)).toBe(true)
    expect(cut).toBe(true)
  })

  test('over and over end the restore, and it says why', async () => {
    await using client = await chain(3).open()
    const vanishing = withFaults(client, { openLTXFile: () => Promise.resolve(undefined) })
    expect(await failure(vanishing)).toMatchObject({ code: 'RESTORE_FILES_VANISH' })
  })

  test('with nothing that covers them are a gap, never an older state', async () => {
    const replica = chain(20)
    await using client = await replica.open()
    const deleting = withFaults(client, {
      openLTXFile: (file, options) => {
        if (file.minTXID >= 7n) for (let txid = 7; txid <= 20; txid++) deleteQuietly(replica, txid)
        return client.openLTXFile(file, options)
      },
    })
    expect(await failure(deleting)).toMatchObject({ code: 'RESTORE_GAP' })
  })
})

function deleteQuietly(replica: SyntheticReplica, txid: number): void {
  const path = join(replica.folder, 'ltx/0', formatLTXFileName(BigInt(txid), BigInt(txid)))
  if (existsSync(path)) replica.remove(0, txid, txid)
}

test('files that are compacted between the listings of two levels are no gap: it looks again before it says so', async () => {
  const replica = chain(10)
  addCompacted(replica, 1, 2, 8)
  for (let txid = 2; txid <= 8; txid++) replica.remove(0, txid, txid)
  await using client = await replica.open()
  let listings = 0
  const racing = withFaults(client, {
    // The first listings of level 1 are those that began before the compacted file was there.
    ltxFiles: (level, options) => client.ltxFiles(level === 1 && ++listings <= 3 ? 8 : level, options),
  })
  const clock = quickClock()
  expect((await restored(racing, { clock })).equals(stateOf(10))).toBe(true)
  expect(clock.waits).toEqual([250])
})
