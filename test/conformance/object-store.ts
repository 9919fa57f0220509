import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareKeys } from '../../replica/objects/key.ts'
import type { ObjectListing, ObjectStore, PutBody, PutOptions } from '../../replica/objects/object-store.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

/** Where implementations may differ. */
export interface ObjectStoreSupports {
  /** Keeps `metadata`; otherwise refuses it. */
  readonly metadata: boolean
  /** Keeps `modifiedMs`; otherwise refuses it. */
  readonly modifiedMs: boolean
  /** One key can be the folder of another. */
  readonly nestedKeys: boolean
  /** `ifMatch` works on objects of any size. */
  readonly largeCompareAndSwap: boolean
  /** Lists in key order. */
  readonly listOrder: boolean
}

/** An implementation under test. */
export interface ObjectStoreUnderTest {
  /** An empty store; `folder` is its alone and goes away after the test. */
  readonly create: (folder: string) => Promise<ObjectStore>
  readonly supports: ObjectStoreSupports
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text)

async function* stream(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** All bytes of a stream, put together only at its end: a chunk must stay what it was. */
export async function readAll(bytes: AsyncIterable<Uint8Array> | undefined): Promise<Buffer | undefined> {
  if (bytes === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function pseudoRandom(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

async function race(store: ObjectStore, condition: PutOptions): Promise<string> {
  const puts = Array.from({ length: 20 }, (_, i) =>
    store.put('race', bytesOf(`${condition.ifMatch} ${i}`), condition),
  )
  const results = await Promise.allSettled(puts)
  const wins = results.filter((result) => result.status === 'fulfilled')
  expect(wins).toHaveLength(1)
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ code: 'OBJECT_PRECONDITION_FAILED' })
  }
  return wins[0]!.value.etag
}

const LARGE = 1_500_000

/** What every object store does. One call in a test file of its own is the whole test of a new one. */
export function testObjectStore(name: string, { create, supports }: ObjectStoreUnderTest): void {
  describe(`${name} object store`, () => {
    let folder: TemporaryFolder
    let store: ObjectStore
    const read = async (key: string, range?: { offset: number; lengthBytes?: number }) =>
      readAll((await store.get(key, { range }))?.bytes)
    const text = async (key: string) => (await read(key))?.toString()
    const keys = async (prefix: string, startAfter?: string) =>
      (await collect(store.list(prefix, { startAfter }))).map((object) => object.key)

    beforeEach(async () => {
      folder = new TemporaryFolder()
      store = await create(folder.join('root'))
    })
    afterEach(async () => {
      await store.close()
      folder[Symbol.dispose]()
    })

    const bodies: Record<string, (bytes: Uint8Array) => PutBody> = {
      bytes: (bytes) => bytes,
      stream: (bytes) => stream(bytes.subarray(0, 7), new Uint8Array(0), bytes.subarray(7)),
      file: (bytes) => {
        const path = join(mkdtempSync(folder.join('body-')), 'file')
        writeFileSync(path, bytes)
        return { path, sizeBytes: bytes.length }
      },
    }

    for (const [kind, bodyOf] of Object.entries(bodies)) {
      for (const size of [0, 1, 70_000, LARGE]) {
        test(`put of ${kind} of ${size} bytes gives them back`, async () => {
          const bytes = pseudoRandom(size)
          for (const condition of [{}, { ifNoneMatch: '*' as const }]) {
            const key = `a/${Object.keys(condition).length}`
            expect(await store.put(key, bodyOf(bytes), condition)).toMatchObject({ key, sizeBytes: size })
            expect(Buffer.compare((await read(key))!, bytes)).toBe(0)
            expect(await store.head(key)).toMatchObject({ key, sizeBytes: size })
          }
        })
      }
    }

    test('an object that is not there is undefined', async () => {
      expect(await store.get('a/b')).toBeUndefined()
      expect(await store.head('a/b')).toBeUndefined()
      await store.put('a', bytesOf('1'))
      expect(await store.get('a/b')).toBeUndefined()
      expect(await store.head('a/b')).toBeUndefined()
      expect(await store.get('b')).toBeUndefined()
    })

    test('the folder of a key is no object', async () => {
      await store.put('a/b', bytesOf('1'))
      expect(await store.get('a')).toBeUndefined()
      expect(await store.head('a')).toBeUndefined()
      await store.delete(['a'])
      expect(await text('a/b')).toBe('1')
    })

    test('put replaces the whole object', async () => {
      await store.put('a', bytesOf('a long one'))
      await store.put('a', bytesOf('short'))
      expect(await text('a')).toBe('short')
    })

    test('bytes that change after the put do not change the object', async () => {
      const bytes = Buffer.from('before')
      await store.put('a', bytes)
      bytes.write('after!')
      expect(await text('a')).toBe('before')
      const [chunk] = await collect((await store.get('a'))!.bytes)
      chunk!.fill(0)
      expect(await text('a')).toBe('before')
    })

    for (const size of [1000, LARGE]) {
      test(`ranges of an object of ${size} bytes are cut at its end`, async () => {
        const bytes = pseudoRandom(size)
        await store.put('a', bytes)
        const ranges = [
          [0, 1],
          [0, 0],
          [10, 20],
          [size - 5, 5],
          [size - 5, 500],
          [size - 5],
          [size],
          [size + 9, 3],
          [1],
        ]
        for (const [offset = 0, lengthBytes] of ranges) {
          const part = await read('a', { offset, ...(lengthBytes !== undefined && { lengthBytes }) })
          const wanted = bytes.subarray(offset, lengthBytes === undefined ? size : offset + lengthBytes)
          expect(Buffer.compare(part!, wanted)).toBe(0)
        }
        expect((await store.get('a', { range: { offset: 3, lengthBytes: 4 } }))!.info.sizeBytes).toBe(size)
      })
    }

    test('an object being read stays the version that it was', async () => {
      const bytes = pseudoRandom(LARGE)
      await store.put('a', bytes)
      const body = await store.get('a')
      await store.put('a', pseudoRandom(LARGE, 2))
      await store.delete(['a'])
      expect(Buffer.compare((await readAll(body!.bytes))!, bytes)).toBe(0)
    })

    test('etags agree between put, head and get, and change with the bytes', async () => {
      for (const size of [10, LARGE]) {
        const first = await store.put('a', pseudoRandom(size))
        expect((await store.head('a'))!.etag).toBe(first.etag)
        expect((await store.get('a'))!.info.etag).toBe(first.etag)
        const second = await store.put('a', pseudoRandom(size, 2))
        expect(second.etag).not.toBe(first.etag)
        expect((await store.head('a'))!.etag).toBe(second.etag)
      }
    })

    test('put with ifNoneMatch fails when the key exists, and leaves it', async () => {
      for (const bodyOf of Object.values(bodies)) {
        await store.put('a', bytesOf('first'))
        await expect(store.put('a', bodyOf(bytesOf('second')), { ifNoneMatch: '*' })).rejects.toMatchObject({
          code: 'OBJECT_PRECONDITION_FAILED',
          key: 'a',
          retryable: false,
        })
        expect(await text('a')).toBe('first')
      }
      await store.delete(['a'])
      await store.put('a', bytesOf('third'), { ifNoneMatch: '*' })
      expect(await text('a')).toBe('third')
    })

    test('put with ifMatch replaces that version and no other', async () => {
      const first = await store.put('a', bytesOf('1'))
      const second = await store.put('a', bytesOf('2'), { ifMatch: first.etag })
      await expect(store.put('a', bytesOf('3'), { ifMatch: first.etag })).rejects.toMatchObject({
        code: 'OBJECT_PRECONDITION_FAILED',
      })
      expect(await text('a')).toBe('2')
      await store.put('a', bytesOf('4'), { ifMatch: second.etag })
      expect(await text('a')).toBe('4')
    })

    test('put with ifMatch fails when there is no such object', async () => {
      const { etag } = await store.put('a', bytesOf('1'))
      await store.delete(['a'])
      await expect(store.put('a', bytesOf('2'), { ifMatch: etag })).rejects.toMatchObject({
        code: 'OBJECT_PRECONDITION_FAILED',
      })
      expect(await store.head('a')).toBeUndefined()
    })

    test('of conditional puts that run at once one wins', async () => {
      let etag = await race(store, { ifNoneMatch: '*' })
      for (let round = 0; round < 3; round++) etag = await race(store, { ifMatch: etag })
    })

    test.skipIf(!supports.largeCompareAndSwap)('put with ifMatch works on a large object', async () => {
      const { etag } = await store.put('a', pseudoRandom(LARGE))
      await store.put('a', bytesOf('2'), { ifMatch: etag })
      expect(await text('a')).toBe('2')
    })

    test.skipIf(supports.largeCompareAndSwap)('put with ifMatch on a large object is refused', async () => {
      const { etag } = await store.put('a', pseudoRandom(LARGE))
      await expect(store.put('a', bytesOf('2'), { ifMatch: etag })).rejects.toMatchObject({
        code: 'OBJECT_UNSUPPORTED',
      })
      expect((await store.head('a'))!.sizeBytes).toBe(LARGE)
    })

    test.skipIf(!supports.metadata)(
      'metadata comes back with head and get, names in lower case',
      async () => {
        const metadata = { 'Litestream-Timestamp': '2026-06-07T12:34:56Z', other: 'x' }
        await store.put('a', bytesOf('1'), { metadata })
        const wanted = { 'litestream-timestamp': '2026-06-07T12:34:56Z', other: 'x' }
        expect((await store.head('a'))!.metadata).toEqual(wanted)
        expect((await store.get('a'))!.info.metadata).toEqual(wanted)
      },
    )

    test.skipIf(supports.metadata)('metadata is refused', async () => {
      await expect(store.put('a', bytesOf('1'), { metadata: { a: 'b' } })).rejects.toMatchObject({
        code: 'OBJECT_UNSUPPORTED',
      })
      expect(await store.head('a')).toBeUndefined()
    })

    test.skipIf(!supports.modifiedMs)('modifiedMs comes back to the millisecond', async () => {
      const times = [1, 999, 1_767_225_600_123, 1_780_835_696_567, 1_780_835_696_789]
      for (const modifiedMs of times) {
        for (const [kind, bodyOf] of Object.entries(bodies)) {
          const key = `${kind}/${modifiedMs}`
          const put = await store.put(key, bodyOf(bytesOf('1')), { modifiedMs, ifNoneMatch: '*' })
          expect(put.modifiedMs).toBe(modifiedMs)
          expect((await store.head(key))!.modifiedMs).toBe(modifiedMs)
          expect(await collect(store.list(key))).toMatchObject([{ key, modifiedMs, sizeBytes: 1 }])
        }
      }
    })

    test('the time of an object is the time of its put', async () => {
      const before = Date.now()
      const { modifiedMs } = await store.put('a', bytesOf('1'))
      expect(modifiedMs).toBeGreaterThan(before - 60_000)
      expect(modifiedMs).toBeLessThan(Date.now() + 60_000)
      expect((await store.head('a'))!.modifiedMs).toBe(modifiedMs)
    })

    const LISTED = [
      'a!',
      'a-b',
      'a.c',
      'a/1',
      'a/2/x',
      'a/2.x',
      'a0',
      'ab',
      'b/1',
      '\u{1f600}',
      '\uffee',
      'z z',
      'Z',
      'é',
    ]

    test.skipIf(!supports.listOrder)(
      'list gives every object once, in the order of the UTF-8 bytes of the keys',
      async () => {
        for (const key of LISTED) await store.put(key, bytesOf(key))
        const wanted = LISTED.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(await keys('')).toEqual(wanted)
        for (const object of await collect(store.list(''))) {
          expect(object.sizeBytes).toBe(Buffer.byteLength(object.key))
          expect(await store.head(object.key)).toMatchObject({
            sizeBytes: object.sizeBytes,
            modifiedMs: object.modifiedMs,
          })
        }
      },
    )

    test('a prefix is a string and not a folder', async () => {
      for (const key of LISTED) await store.put(key, bytesOf(key))
      for (const prefix of [
        'a',
        'a/',
        'a/2',
        'a/2/',
        'a/2/x',
        'a/2/xy',
        'a-',
        'b/',
        'c/d/e',
        '.',
        'Z',
        'a/..',
      ]) {
        const wanted = LISTED.filter((key) => key.startsWith(prefix)).sort(compareKeys)
        expect((await keys(prefix)).sort(compareKeys)).toEqual(wanted)
      }
    })

    test.skipIf(!supports.listOrder)('startAfter begins after any string', async () => {
      for (const key of LISTED) await store.put(key, bytesOf(key))
      for (const startAfter of [
        ...LISTED,
        '',
        'a',
        'a/',
        'a/2',
        'a/2/',
        'a/9',
        'a/2/xx',
        '\u0001',
        '\uffff',
        'zz',
      ]) {
        for (const prefix of ['', 'a', 'a/']) {
          const wanted = LISTED.filter((key) => key.startsWith(prefix) && compareKeys(key, startAfter) > 0)
          expect(await keys(prefix, startAfter)).toEqual(wanted.sort(compareKeys))
        }
      }
    })

    test('a long list can be left early and walked while objects are deleted', async () => {
      const all = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(5, '0')}`)
      for (const key of all) await store.put(key, bytesOf('1'), { ifNoneMatch: '*' })
      expect((await keys('many/')).sort(compareKeys)).toEqual(all)
      for await (const object of store.list('many/')) {
        expect(all).toContain(object.key)
        break
      }
      const seen: ObjectListing[] = []
      for await (const object of store.list('many/')) {
        seen.push(object)
        await store.delete([object.key])
      }
      expect(seen).toHaveLength(all.length)
      expect(await keys('')).toEqual([])
    })

    test('delete takes what is there and what is not', async () => {
      await store.put('a', bytesOf('1'))
      await store.put('b/c', bytesOf('2'))
      await store.put('b/d', bytesOf('3'))
      await store.delete(['a', 'b/c', 'nowhere/at/all', 'a/below'])
      expect(await keys('')).toEqual(['b/d'])
      await store.delete(['a', 'b/d'])
      await store.delete([])
      expect(await keys('')).toEqual([])
      await store.put('b/c', bytesOf('again'), { ifNoneMatch: '*' })
      expect(await text('b/c')).toBe('again')
    })

    test.skipIf(!supports.nestedKeys)('a key can be the folder of another', async () => {
      await store.put('a', bytesOf('1'))
      await store.put('a/b', bytesOf('2'))
      expect(await keys('')).toEqual(['a', 'a/b'])
    })

    test.skipIf(supports.nestedKeys)('a key that is the folder of another is refused', async () => {
      await store.put('a', bytesOf('1'))
      await expect(store.put('a/b', bytesOf('2'))).rejects.toMatchObject({ code: 'OBJECT_NOT_A_FOLDER' })
      await store.put('c/d', bytesOf('3'))
      for (const condition of [{}, { ifNoneMatch: '*' as const }]) {
        await expect(store.put('c', bytesOf('4'), condition)).rejects.toMatchObject({
          code: 'OBJECT_IS_A_FOLDER',
        })
      }
      expect(await keys('')).toEqual(['a', 'c/d'])
    })

    const UNSAFE = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/..',
      'a/../b',
      'a/./b',
      './a',
      'a\0b',
      'a\\b',
      '..\\a',
      'a\nb',
      '\ud800',
      'a\udc00b',
      '.a.tmp',
      'a/.x.guard',
      'a/.x.guard-journal',
      '.x.TMP/a',
      'x'.repeat(201),
      'é'.repeat(101),
      `${'x/'.repeat(600)}x`,
    ]

    test('unsafe keys are refused by every call', async () => {
      for (const key of UNSAFE) {
        const refused = { code: 'OBJECT_UNSAFE_KEY', key, retryable: false }
        await expect(store.get(key), JSON.stringify(key)).rejects.toMatchObject(refused)
        await expect(store.head(key)).rejects.toMatchObject(refused)
        await expect(store.put(key, bytesOf('1'))).rejects.toMatchObject(refused)
        await expect(store.put(key, stream(bytesOf('1')), { ifNoneMatch: '*' })).rejects.toMatchObject(
          refused,
        )
        await expect(store.delete(['fine', key])).rejects.toMatchObject(refused)
      }
      for (const prefix of ['/', '/a', 'a//', '../', '../a', 'a/../b', 'a\0', './']) {
        await expect(collect(store.list(prefix)), prefix).rejects.toMatchObject({ code: 'OBJECT_UNSAFE_KEY' })
      }
    })

    test('keys that only look odd are fine', async () => {
      for (const key of [
        '...',
        '.hidden',
        'a..b',
        'a.tmp',
        'x.guard',
        'tmp/.guardian',
        ' ',
        'é'.repeat(100),
        'x'.repeat(200),
        '-rf',
      ]) {
        await store.put(key, bytesOf(key), { ifNoneMatch: '*' })
        expect(await text(key)).toBe(key)
        expect(await keys(key)).toEqual([key])
      }
    })

    test('a call with an aborted signal rejects with its reason and does nothing', async () => {
      await store.put('a', bytesOf('1'))
      const reason = new Error('given up')
      const signal = AbortSignal.abort(reason)
      await expect(store.get('a', { signal })).rejects.toBe(reason)
      await expect(store.head('a', { signal })).rejects.toBe(reason)
      await expect(collect(store.list('', { signal }))).rejects.toBe(reason)
      await expect(store.delete(['a'], { signal })).rejects.toBe(reason)
      await expect(store.put('b', bytesOf('1'), { signal })).rejects.toBe(reason)
      expect(await keys('')).toEqual(['a'])
    })

    test('a put that is aborted midway rejects with the reason and leaves nothing', async () => {
      const reason = new Error('given up')
      for (const isHanging of [true, false]) {
        const controller = new AbortController()
        const body = (async function* () {
          yield pseudoRandom(300_000)
          controller.abort(reason)
          if (isHanging) await new Promise(() => {})
          yield bytesOf('never wanted')
        })()
        await expect(store.put('a', body, { signal: controller.signal })).rejects.toBe(reason)
      }
      expect(await keys('')).toEqual([])
    })

    test('reading and listing that are aborted midway reject with the reason', async () => {
      const reason = new Error('given up')
      for (const key of ['a', 'b', 'c']) await store.put(key, pseudoRandom(LARGE))
      const reading = new AbortController()
      const { bytes } = (await store.get('a', { signal: reading.signal }))!
      const readOn = async (): Promise<void> => {
        for await (const chunk of bytes) reading.abort(chunk.length > 0 ? reason : undefined)
      }
      await expect(readOn()).rejects.toBe(reason)
      const listing = new AbortController()
      const listOn = async (): Promise<void> => {
        for await (const object of store.list('', { signal: listing.signal }))
          listing.abort(object.key ? reason : undefined)
      }
      await expect(listOn()).rejects.toBe(reason)
    })

    test('a body that fails gives its own error and leaves nothing', async () => {
      const failure = Object.assign(new Error('the source broke'), { code: 'ENOENT', errno: -2 })
      const body = (async function* () {
        yield bytesOf('half')
        throw failure
      })()
      await expect(store.put('a', body)).rejects.toBe(failure)
      expect(await keys('')).toEqual([])
    })

    test('a body file that is missing or of another size is a bad body', async () => {
      const missing = { path: folder.join('missing'), sizeBytes: 3 }
      await expect(store.put('a', missing)).rejects.toMatchObject({ code: 'OBJECT_BAD_BODY' })
      await expect(store.put('a', missing, { ifNoneMatch: '*' })).rejects.toMatchObject({
        code: 'OBJECT_BAD_BODY',
      })
      writeFileSync(folder.join('short'), 'ab')
      await expect(store.put('a', { path: folder.join('short'), sizeBytes: 3 })).rejects.toMatchObject({
        code: 'OBJECT_BAD_BODY',
      })
      expect(await keys('')).toEqual([])
    })

    test('close is idempotent, and a closed store refuses', async () => {
      await store.put('a', bytesOf('1'))
      await store.close()
      await store.close()
      await expect(store.head('a')).rejects.toMatchObject({ code: 'OBJECT_CLOSED' })
      await expect(collect(store.list(''))).rejects.toMatchObject({ code: 'OBJECT_CLOSED' })
    })
  })
}
