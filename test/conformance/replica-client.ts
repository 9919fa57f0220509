import { randomBytes } from 'node:crypto'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHeader, Encoder, type TXID } from '../../ltx/index.ts'
import {
  MAX_LEVEL,
  SNAPSHOT_LEVEL,
  type LTXFileID,
  type LTXFileInfo,
  type PutBody,
  type ReplicaClient,
} from '../../replica/index.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'
import { readAll } from './object-store.ts'

/** Where implementations may differ. */
export interface ReplicaClientSupports {
  /** A plain listing tells the time of a file; otherwise only with `accurateTime`. */
  readonly timeInListing: boolean
}

/** An implementation under test. */
export interface ReplicaClientUnderTest {
  /** An empty replica; `folder` is its alone and goes away after the test. */
  readonly create: (folder: string) => Promise<ReplicaClient>
  readonly supports: ReplicaClientSupports
}

/** Time of the files that {@link makeLTX} makes, unless said otherwise: not a whole second, and long ago. */
export const TIME_MS = 1_767_225_600_123

/** A small LTX file of one page; other bytes each time, unless they are given. */
export function makeLTX(
  minTXID: TXID,
  maxTXID: TXID,
  timestampMs: number = TIME_MS,
  page: Uint8Array = randomBytes(512),
): Buffer {
  const chunks: Uint8Array[] = []
  const header = createHeader({ pageSize: 512, commit: 1, minTXID, maxTXID, timestampMs })
  const encoder = new Encoder(header, (chunk) => void chunks.push(Uint8Array.from(chunk)))
  encoder.writePage(1, page)
  encoder.finish()
  return Buffer.concat(chunks)
}

/** All files of a level. */
export async function filesOf(
  client: ReplicaClient,
  level: number,
  options: { seek?: TXID; accurateTime?: boolean } = {},
): Promise<LTXFileInfo[]> {
  const files: LTXFileInfo[] = []
  for await (const file of client.ltxFiles(level, options)) files.push(file)
  return files
}

/** A file of level 0 that holds one transaction. */
export const single = (txid: TXID): LTXFileID => ({ level: 0, minTXID: txid, maxTXID: txid })

function changed(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 50)
  yield bytes.subarray(50, 51)
  yield bytes.subarray(51)
}

/** What every replica client does. One call in a test file of its own is the whole test of a new one. */
export function testReplicaClient(name: string, { create, supports }: ReplicaClientUnderTest): void {
  describe(`${name} replica client`, () => {
    let folder: TemporaryFolder
    let client: ReplicaClient

    beforeEach(async () => {
      folder = new TemporaryFolder()
      client = await create(folder.join('root'))
    })
    afterEach(async () => {
      await client.close()
      folder[Symbol.dispose]()
    })

    const write = (file: LTXFileID, bytes = makeLTX(file.minTXID, file.maxTXID)): Promise<LTXFileInfo> =>
      client.writeLTXFile(file, bytes, { timestampMs: TIME_MS })
    const read = async (
      file: LTXFileID,
      range?: { offset?: number; lengthBytes?: number },
    ): Promise<Buffer | undefined> => readAll(await client.openLTXFile(file, range))
    const names = async (level: number, options?: { seek?: TXID }): Promise<string[]> =>
      (await filesOf(client, level, options)).map(({ minTXID, maxTXID }) => `${minTXID}-${maxTXID}`)

    const bodies: Record<string, (bytes: Uint8Array) => PutBody> = {
      bytes: (bytes) => bytes,
      stream,
      file: (bytes) => {
        const path = join(mkdtempSync(folder.join('body-')), 'file')
        writeFileSync(path, bytes)
        return { path, sizeBytes: bytes.length, modifiedMs: statSync(path).mtimeMs }
      },
    }

    for (const [kind, bodyOf] of Object.entries(bodies)) {
      test(`a file that was written from ${kind} is listed and read`, async () => {
        for (let level = 0; level <= MAX_LEVEL; level++) {
          const file = { level, minTXID: 1n, maxTXID: 0xabcdefn }
          const bytes = makeLTX(1n, 0xabcdefn)
          const info = { ...file, sizeBytes: bytes.length, createdAtMs: TIME_MS }
          expect(await client.writeLTXFile(file, bodyOf(bytes), { timestampMs: TIME_MS })).toEqual(info)
          expect(await filesOf(client, level, { accurateTime: true })).toEqual([info])
          expect(await read(file)).toEqual(bytes)
        }
      })

      test(`the same file written again from ${kind} is success`, async () => {
        const bytes = makeLTX(1n, 1n)
        await write(single(1n), bytes)
        const again = await client.writeLTXFile(single(1n), bodyOf(bytes), { timestampMs: TIME_MS })
        expect(again).toEqual({ ...single(1n), sizeBytes: bytes.length, createdAtMs: TIME_MS })
        expect(await filesOf(client, 0, { accurateTime: true })).toEqual([again])
      })

      test(`another file of the same name from ${kind} is REPLICA_FILE_CONFLICT, and nothing is overwritten`, async () => {
        const bytes = makeLTX(1n, 1n)
        await write(single(1n), bytes)
        const others = {
          'another page': makeLTX(1n, 1n),
          'another time': makeLTX(1n, 1n, TIME_MS + 1),
          'another header': changed(bytes, 90),
          'another trailer': changed(bytes, bytes.length - 1),
          'no header': Buffer.concat([bytes.subarray(1), Buffer.from('x')]),
          longer: Buffer.concat([bytes, Buffer.from('x')]),
          shorter: bytes.subarray(0, -1),
          empty: Buffer.alloc(0),
        }
        for (const [what, other] of Object.entries(others)) {
          await expect(
            client.writeLTXFile(single(1n), bodyOf(other), { timestampMs: TIME_MS }),
            what,
          ).rejects.toMatchObject({
            code: 'REPLICA_FILE_CONFLICT',
            level: 0,
            minTXID: 1n,
            maxTXID: 1n,
            key: expect.stringContaining('0000000000000001-0000000000000001.ltx'),
            url: client.url,
            hint: expect.any(String),
            cause: { code: 'OBJECT_PRECONDITION_FAILED' },
          })
        }
        expect(await read(single(1n))).toEqual(bytes)
      })
    }

    test('an empty replica lists nothing and opens nothing', async () => {
      for (let level = 0; level <= MAX_LEVEL; level++) expect(await filesOf(client, level)).toEqual([])
      expect(await client.openLTXFile(single(1n))).toBeUndefined()
      await client.deleteLTXFiles([single(1n)])
      await client.deleteLTXFiles([])
      await client.deleteAll()
    })

    test('files come in the order of their TXIDs, whatever the order of writing', async () => {
      const ids: [TXID, TXID][] = [
        [10n, 10n],
        [2n, 9n],
        [0x100n, 0x1ffn],
        [1n, 1n],
        [2n, 3n],
        [0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn],
        [9n, 255n],
      ]
      for (const [minTXID, maxTXID] of ids) await write({ level: 3, minTXID, maxTXID })
      expect(await names(3)).toEqual([
        '1-1',
        '2-3',
        '2-9',
        '9-255',
        '10-10',
        '256-511',
        `${2n ** 64n - 1n}-${2n ** 64n - 1n}`,
      ])
      expect(await names(2)).toEqual([])
    })

    test('seek finds files that begin at the TXID or after it', async () => {
      for (const txid of [1n, 9n, 10n, 16n, 255n, 256n]) await write(single(txid))
      await write({ level: 0, minTXID: 1n, maxTXID: 300n })
      expect(await names(0, { seek: 0n })).toHaveLength(7)
      expect(await names(0, { seek: 1n })).toHaveLength(7)
      expect(await names(0, { seek: 2n })).toEqual(['9-9', '10-10', '16-16', '255-255', '256-256'])
      expect(await names(0, { seek: 16n })).toEqual(['16-16', '255-255', '256-256'])
      expect(await names(0, { seek: 256n })).toEqual(['256-256'])
      expect(await names(0, { seek: 257n })).toEqual([])
    })

    test('a part of a file is read, cut at its end', async () => {
      const bytes = makeLTX(1n, 1n)
      await write(single(1n), bytes)
      expect(await read(single(1n), { offset: 0, lengthBytes: 100 })).toEqual(bytes.subarray(0, 100))
      expect(await read(single(1n), { offset: bytes.length - 16 })).toEqual(bytes.subarray(-16))
      expect(await read(single(1n), { offset: 5, lengthBytes: 1e6 })).toEqual(bytes.subarray(5))
      expect(await read(single(1n), { offset: bytes.length + 1 })).toEqual(Buffer.alloc(0))
      expect(await read(single(1n), { lengthBytes: 0 })).toEqual(Buffer.alloc(0))
    })

    test('the time of a file is the one it was written with, to the millisecond', async () => {
      const times = [0, 1_780_835_696_000, 1_780_835_696_700, 1_780_835_696_789]
      for (const [i, timestampMs] of times.entries()) {
        const txid = BigInt(i + 1)
        await client.writeLTXFile(single(txid), makeLTX(txid, txid, timestampMs), { timestampMs })
      }
      const accurate = await filesOf(client, 0, { accurateTime: true })
      expect(accurate.map((file) => file.createdAtMs)).toEqual(times)
      if (supports.timeInListing) expect(await filesOf(client, 0)).toEqual(accurate)
    })

    test('the times of many files are each their own', async () => {
      const count = 120
      for (let i = 1; i <= count; i++) {
        const bytes = makeLTX(BigInt(i), BigInt(i), TIME_MS + i)
        await client.writeLTXFile(single(BigInt(i)), bytes, { timestampMs: TIME_MS + i })
      }
      const files = await filesOf(client, 0, { accurateTime: true })
      expect(files).toHaveLength(count)
      for (const file of files) expect(file.createdAtMs).toBe(TIME_MS + Number(file.minTXID))
    })

    test('deleted files are gone, the others stay', async () => {
      for (const txid of [1n, 2n, 3n]) await write(single(txid))
      await write({ level: 1, minTXID: 1n, maxTXID: 2n })
      await client.deleteLTXFiles([single(1n), single(2n), single(99n)])
      expect(await names(0)).toEqual(['3-3'])
      expect(await names(1)).toEqual(['1-2'])
      expect(await client.openLTXFile(single(1n))).toBeUndefined()
      await write(single(1n))
      expect(await names(0)).toEqual(['1-1', '3-3'])
    })

    test('deleteAll leaves no file on any level', async () => {
      for (let level = 0; level <= MAX_LEVEL; level++) {
        for (const txid of [1n, 2n, 3n]) await write({ level, minTXID: txid, maxTXID: txid })
      }
      await client.deleteAll()
      for (let level = 0; level <= MAX_LEVEL; level++) expect(await names(level)).toEqual([])
      await write({ level: SNAPSHOT_LEVEL, minTXID: 1n, maxTXID: 1n })
      expect(await names(SNAPSHOT_LEVEL)).toEqual(['1-1'])
    })

    test('of two writers of one name at once the second is refused', async () => {
      for (let txid = 1n; txid <= 10n; txid++) {
        const results = await Promise.allSettled([
          write(single(txid)),
          write(single(txid)),
          write(single(txid)),
        ])
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
        for (const result of results) {
          if (result.status === 'rejected')
            expect(result.reason).toMatchObject({ code: 'REPLICA_FILE_CONFLICT' })
        }
      }
    })

    test('writers of the same bytes at once all succeed', async () => {
      const bytes = makeLTX(1n, 1n)
      const infos = await Promise.all([
        write(single(1n), bytes),
        write(single(1n), bytes),
        write(single(1n), bytes),
      ])
      expect(new Set(infos.map((info) => info.sizeBytes))).toEqual(new Set([bytes.length]))
    })

    test('a write whose source fails gives its error and leaves nothing', async () => {
      const failure = new Error('the source broke')
      const body = (async function* () {
        yield Buffer.from('half')
        throw failure
      })()
      await expect(client.writeLTXFile(single(1n), body, { timestampMs: 1 })).rejects.toBe(failure)
      expect(await names(0)).toEqual([])
    })

    test('the source of a refused write is ended', async () => {
      await write(single(1n))
      let isEnded = false
      const body = (async function* () {
        try {
          yield Buffer.from('other')
          yield Buffer.from('bytes')
        } finally {
          isEnded = true
        }
      })()
      await expect(client.writeLTXFile(single(1n), body, { timestampMs: 1 })).rejects.toMatchObject({
        code: 'REPLICA_FILE_CONFLICT',
      })
      expect(isEnded).toBe(true)
    })

    test('a call with an aborted signal rejects with its reason and does nothing', async () => {
      await write(single(1n))
      const reason = new Error('given up')
      const signal = AbortSignal.abort(reason)
      const list = async (): Promise<void> => {
        for await (const file of client.ltxFiles(0, { signal })) void file
      }
      await expect(list()).rejects.toBe(reason)
      await expect(client.openLTXFile(single(1n), { signal })).rejects.toBe(reason)
      await expect(client.writeLTXFile(single(2n), makeLTX(2n, 2n), { timestampMs: 1, signal })).rejects.toBe(
        reason,
      )
      await expect(client.deleteLTXFiles([single(1n)], { signal })).rejects.toBe(reason)
      await expect(client.deleteLTXFiles([], { signal })).rejects.toBe(reason)
      await expect(client.deleteAll({ signal })).rejects.toBe(reason)
      expect(await names(0)).toEqual(['1-1'])
    })

    test('a call that is aborted midway rejects with the reason', async () => {
      const reason = new Error('given up')
      for (const txid of [1n, 2n, 3n]) await write(single(txid))
      const listing = new AbortController()
      const list = async (): Promise<void> => {
        for await (const file of client.ltxFiles(0, { signal: listing.signal }))
          listing.abort(file.level === 0 ? reason : 0)
      }
      await expect(list()).rejects.toBe(reason)
      // Where the name is taken, the source is read to compare: a source that hangs must not hold that either.
      for (const txid of [3n, 4n]) {
        const writing = new AbortController()
        const body = (async function* () {
          yield Buffer.from('half')
          setImmediate(() => writing.abort(reason))
          await new Promise(() => {})
        })()
        const { signal } = writing
        await expect(client.writeLTXFile(single(txid), body, { timestampMs: 1, signal })).rejects.toBe(reason)
      }
      expect(await names(0)).toEqual(['1-1', '2-2', '3-3'])
    })

    test('close is idempotent, and a closed client refuses', async () => {
      await client.close()
      await client.close()
      await expect(write(single(1n))).rejects.toMatchObject({ code: 'OBJECT_CLOSED' })
    })
  })
}
