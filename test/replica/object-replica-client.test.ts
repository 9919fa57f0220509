import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseLTXFileName, type TXID } from '../../ltx/index.ts'
import {
  MAX_LEVEL,
  MemoryObjectStore,
  ObjectReplicaClient,
  fileLayout,
  s3Layout,
  type LTXFileID,
  type ObjectStore,
} from '../../replica/index.ts'
import { filesOf, makeLTX, single, testReplicaClient, TIME_MS } from '../conformance/replica-client.ts'

const KEYS = new URL('../fixtures/replica-s3.keys.json', import.meta.url)

testReplicaClient('S3 layout', {
  create: async () =>
    new ObjectReplicaClient({ store: new MemoryObjectStore(), layout: s3Layout, url: 'memory:s3' }),
  supports: { timeInListing: false },
})

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const object of store.list('')) keys.push(object.key)
  return keys
}

test('keys in a bucket and on disk are those of Litestream', async () => {
  const vectors = Object.entries(JSON.parse(readFileSync(KEYS, 'utf8')) as Record<string, string>)
  const bucket = new MemoryObjectStore()
  const disk = new MemoryObjectStore()
  const clients = [
    new ObjectReplicaClient({ store: bucket, layout: s3Layout, url: 'memory:bucket' }),
    new ObjectReplicaClient({ store: disk, layout: fileLayout, url: 'memory:disk' }),
  ]
  for (const [path] of vectors) {
    const [, level = '', name = ''] = path.split('/')
    const file: LTXFileID = { level: Number(level), ...parseLTXFileName(name)! }
    for (const client of clients) {
      await client.writeLTXFile(file, makeLTX(file.minTXID, file.maxTXID), { timestampMs: TIME_MS })
    }
  }
  expect(vectors.length).toBeGreaterThan(5)
  expect(await keysOf(bucket)).toEqual(vectors.map(([, key]) => key.replace('<path>/', '')).sort())
  expect(await keysOf(disk)).toEqual(vectors.map(([path]) => path).sort())
})

test('the time in a bucket stands in both metadata entries, and either is read', async () => {
  const store = new MemoryObjectStore({ now: () => 5_000 })
  const client = new ObjectReplicaClient({ store, layout: s3Layout, url: 'memory:times' })
  await client.writeLTXFile(single(1n), makeLTX(1n, 1n), { timestampMs: TIME_MS })
  const key = '0000/0000000000000001-0000000000000001.ltx'
  const text = '2026-01-01T00:00:00.123Z'
  expect((await store.head(key))!.metadata).toEqual({
    'litestream-timestamp': text,
    'replicate-timestamp': text,
  })
  const metadata: Record<string, string>[] = [
    { 'litestream-timestamp': text },
    { 'replicate-timestamp': text },
    { 'litestream-timestamp': 'nonsense', 'replicate-timestamp': text },
    { 'litestream-timestamp': 'nonsense' },
    {},
  ]
  const times: number[] = []
  for (const entries of metadata) {
    await store.put(key, makeLTX(1n, 1n), { metadata: entries })
    times.push((await filesOf(client, 0, { accurateTime: true }))[0]!.createdAtMs)
  }
  expect(times).toEqual([TIME_MS, TIME_MS, TIME_MS, 5_000, 5_000])
  expect((await filesOf(client, 0))[0]!.createdAtMs).toBe(5_000)
})

/** A memory store whose listings come backwards. */
class BackwardStore extends MemoryObjectStore {
  readonly listOrder: 'key' | 'none'

  constructor(listOrder: 'key' | 'none') {
    super()
    this.listOrder = listOrder
  }

  override async *list(
    ...args: Parameters<MemoryObjectStore['list']>
  ): ReturnType<MemoryObjectStore['list']> {
    const all = []
    for await (const object of super.list(...args)) all.push(object)
    yield* all.toReversed()
  }
}

async function fill(store: ObjectStore): Promise<ObjectReplicaClient> {
  const client = new ObjectReplicaClient({ store, layout: fileLayout, url: 'memory:fill' })
  for (const txid of [1n, 2n, 3n]) {
    await client.writeLTXFile(single(txid), makeLTX(txid, txid), { timestampMs: TIME_MS })
  }
  return client
}

test('a store that lists in no order is sorted', async () => {
  const client = await fill(new BackwardStore('none'))
  expect((await filesOf(client, 0)).map((file) => file.minTXID)).toEqual([1n, 2n, 3n])
  expect((await filesOf(client, 0, { seek: 2n })).map((file) => file.minTXID)).toEqual([2n, 3n])
})

test('a store that breaks the order it promises is an error, not a gap', async () => {
  const client = await fill(new BackwardStore('key'))
  await expect(filesOf(client, 0)).rejects.toMatchObject({ code: 'REPLICA_LISTING_UNORDERED' })
})

test('a level is streamed: the first file comes before the last is listed', async () => {
  let listed = 0
  class CountingStore extends MemoryObjectStore {
    override async *list(
      ...args: Parameters<MemoryObjectStore['list']>
    ): ReturnType<MemoryObjectStore['list']> {
      for await (const object of super.list(...args)) {
        listed++
        yield object
      }
    }
  }
  const client = await fill(new CountingStore())
  for await (const file of client.ltxFiles(0)) {
    expect(file.minTXID).toBe(1n)
    break
  }
  expect(listed).toBe(1)
})

test('deleteAll that is cut short leaves no base below what is gone', async () => {
  class FailingStore extends MemoryObjectStore {
    left = Infinity
    override async delete(keys: readonly string[]): Promise<void> {
      // One call promises no order, so the worst one.
      for (const key of keys.toReversed()) {
        if (this.left-- <= 0) throw new Error('cut short')
        await super.delete([key])
      }
    }
  }
  // A database of 8 transactions: level 2 has 1-4, level 1 up to 6, level 0 up to 8, the snapshot 1-3.
  const chain: [number, TXID, TXID][] = [
    [9, 1n, 3n],
    [2, 1n, 2n],
    [2, 3n, 4n],
    [1, 5n, 6n],
    [0, 5n, 5n],
    [0, 6n, 6n],
    [0, 7n, 7n],
    [0, 8n, 8n],
  ]
  for (let deletions = 0; deletions <= chain.length; deletions++) {
    const store = new FailingStore()
    const client = new ObjectReplicaClient({ store, layout: fileLayout, url: 'memory:cut' })
    for (const [level, minTXID, maxTXID] of chain) {
      await client.writeLTXFile({ level, minTXID, maxTXID }, makeLTX(minTXID, maxTXID), {
        timestampMs: TIME_MS,
      })
    }
    store.left = deletions
    await client.deleteAll().catch((error: unknown) => expect(error).toMatchObject({ message: 'cut short' }))
    let reached = 0n
    for (let level = MAX_LEVEL; level >= 0; level--) {
      for (const { minTXID, maxTXID } of await filesOf(client, level)) {
        if (minTXID <= reached + 1n && maxTXID > reached) reached = maxTXID
      }
    }
    expect([0n, 8n]).toContain(reached)
  }
})

test('a file that vanishes while it is compared is a conflict, not a success', async () => {
  class VanishingStore extends MemoryObjectStore {
    override async get(): Promise<undefined> {
      return undefined
    }
  }
  const client = await fill(new VanishingStore())
  await expect(client.writeLTXFile(single(1n), makeLTX(1n, 1n), { timestampMs: 1 })).rejects.toMatchObject({
    code: 'REPLICA_FILE_CONFLICT',
  })
})

test('a level that does not exist is a bug of the caller', async () => {
  const client = await fill(new MemoryObjectStore())
  for (const level of [-1, 10, 1.5, NaN]) {
    await expect(filesOf(client, level)).rejects.toMatchObject({ code: 'ERR_ASSERTION' })
    await expect(client.openLTXFile({ level, minTXID: 1n, maxTXID: 1n })).rejects.toMatchObject({
      code: 'ERR_ASSERTION',
    })
  }
})
