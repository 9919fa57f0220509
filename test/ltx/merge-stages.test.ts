import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LTXSource, mergeLTX, RollingChecksum } from '../../ltx/index.ts'
import { MergeSpill } from '../../ltx/merge-spill.ts'
import { directSources } from '../../ltx/merge-stages.ts'
import { decode, encode, fingerprint, headerOf, pageOf, rejectedCodeOf, source } from './files.ts'
import { countedSources, filesOf, merge, sources } from './merging.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ltx-merge-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A long chain of small files, and the database at its end. */
function longHistory(length: number): ReturnType<typeof filesOf> {
  return filesOf(
    Array.from({ length }, (_, at) => ({ commit: 9, writes: [1 + (at % 9), 1 + ((at * 5) % 9)] })),
  )
}

/** The same history with database checksums from file to file. */
function withChecksums(files: readonly Uint8Array[]): Uint8Array[] {
  const database = new Map<number, Uint8Array>()
  let preApplyChecksum = 0n
  return files.map((file) => {
    const { header, pages } = decode(file)
    for (const [pgno, data] of pages) database.set(pgno, data)
    for (const pgno of database.keys()) if (pgno > header.commit) database.delete(pgno)
    const rolling = new RollingChecksum()
    for (const [pgno, data] of database) rolling.toggle(pgno, data)
    const postApplyChecksum = rolling.digest()
    const tracked = encode({ ...header, flags: 0, preApplyChecksum }, pages, { postApplyChecksum })
    preApplyChecksum = postApplyChecksum
    return tracked
  })
}

describe('many inputs', () => {
  test('give what a merge of all at once gives', async () => {
    const { files, database } = longHistory(300)
    const atOnce = await merge(sources(files), { maxOpenInputs: 300, keepWALFields: true })
    for (const maxOpenInputs of [2, 3, 7, 32, 150, 299]) {
      const inStages = await merge(sources(files), { maxOpenInputs, keepWALFields: true })
      expect(inStages.header).toEqual(atOnce.header)
      expect(fingerprint(inStages.pages)).toEqual(fingerprint(database))
    }
  })

  test('are never open more than a few at a time, each once', async () => {
    const { files } = longHistory(100)
    const counted = countedSources(files)
    await merge(counted.sources, { maxOpenInputs: 8 })
    expect(counted.most).toBeLessThanOrEqual(8)
    expect(counted.opened).toBe(100)
    expect(counted.open).toBe(0)
  })

  test('default to 32 open at a time', async () => {
    const counted = countedSources(longHistory(100).files)
    await merge(counted.sources)
    expect(counted.most).toBe(32)
  })

  test('keep their checksums through the stages', async () => {
    const files = withChecksums(longHistory(40).files)
    for (const part of [files, files.slice(1)]) {
      const atOnce = await merge(sources(part), { maxOpenInputs: 40, flags: 0 })
      const inStages = await merge(sources(part), { maxOpenInputs: 3, flags: 0 })
      expect(inStages.header).toEqual(atOnce.header)
      expect(inStages.trailer).toEqual(atOnce.trailer)
    }
  })

  test('leave the first, the large one, out of the intermediate files', async () => {
    const first = encode(headerOf({ minTXID: 1n, maxTXID: 1n, commit: 2000 }), pagesUpTo(2000))
    const rest = Array.from({ length: 40 }, (_, at) => {
      const txid = BigInt(at + 2)
      return encode(headerOf({ minTXID: txid, maxTXID: txid, commit: 2000 }), [
        [1 + at, pageOf(1 + at, 512, 5)],
      ])
    })
    // Enough for the small ones, far too little for the first.
    const options = { maxOpenInputs: 4, spillMemoryBytes: 100_000 }
    expect(first.length).toBeGreaterThan(400_000)
    const { pages } = await merge(sources([first, ...rest]), options)
    expect(pages.size).toBe(2000)
    expect(Buffer.from(pages.get(40)!)).toEqual(Buffer.from(pageOf(40, 512, 5)))
  })

  test('report a gap or damage anywhere', async () => {
    const { files } = longHistory(50)
    const without = files.filter((_, at) => at !== 33)
    expect(await rejectedCodeOf(merge(sources(without), { maxOpenInputs: 4 }))).toBe('LTX_NOT_CONTIGUOUS')
    for (const at of [0, 1, 29, 49]) {
      const damaged = files.map((file, index) => (index === at ? file.slice() : file))
      damaged[at]![20]! ^= 1
      await expect(merge(sources(damaged), { maxOpenInputs: 4 })).rejects.toMatchObject({
        input: `file ${at}`,
      })
    }
  })
})

function pagesUpTo(count: number): [number, Uint8Array][] {
  return Array.from({ length: count }, (_, at) => [at + 1, pageOf(at + 1, 512)])
}

/** Six files of some 170 kB. */
function inputs(): LTXSource[] {
  return Array.from({ length: 6 }, (_, at) => {
    const txid = BigInt(at + 2)
    return source(
      `file ${at}`,
      encode(headerOf({ minTXID: txid, maxTXID: txid, commit: 1000 }), pagesUpTo(1000)),
    )
  })
}

describe('intermediate files', () => {
  test('go to the folder when they are too large for memory, and are gone afterwards', async () => {
    let seen: string[] = []
    const sink = (): void => {
      seen = seen.length === 0 ? readdirSync(folder) : seen
    }
    await mergeLTX(inputs(), sink, { maxOpenInputs: 3, spillMemoryBytes: 1000, spillFolder: folder })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.every((name) => /^ltx-merge-[0-9a-f-]{36}\.tmp$/.test(name))).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test('hold the same on disk as in memory', async () => {
    const onDisk = await merge(inputs(), { maxOpenInputs: 2, spillMemoryBytes: 150_000, spillFolder: folder })
    const inMemory = await merge(inputs(), { maxOpenInputs: 2 })
    expect(Buffer.compare(onDisk.bytes, inMemory.bytes)).toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })

  test('are let go of as soon as they have been merged on', async () => {
    const small = Array.from({ length: 41 }, (_, at) => {
      const txid = BigInt(at + 2)
      return source(`file ${at}`, encode(headerOf({ minTXID: txid, maxTXID: txid }), [[1, pageOf(1, 512)]]))
    })
    // The first round leaves 20 of 420 bytes each, which is what there is room for; all rounds together leave twice that.
    const { result } = await merge(small, { maxOpenInputs: 2, spillMemoryBytes: 9500 })
    expect(result.pages).toBe(1)
  })

  test('too large for memory are refused where there is no folder', async () => {
    const options = { maxOpenInputs: 3, spillMemoryBytes: 1000 }
    await expect(merge(inputs(), options)).rejects.toMatchObject({ code: 'LTX_SPILL_FOLDER_NEEDED' })
  })

  test('are gone after a failure, too', async () => {
    const bad = inputs()
    bad[5] = source('bad', Uint8Array.of(1, 2, 3))
    const options = { maxOpenInputs: 2, spillMemoryBytes: 1000, spillFolder: folder }
    expect(await rejectedCodeOf(merge(bad, options))).toBe('LTX_TRUNCATED')
    expect(readdirSync(folder)).toEqual([])
  })

  test('give their memory back when they move to the folder', async () => {
    const budget = { memoryBytes: 100 }
    const spill = new MergeSpill(folder, budget)
    await spill.write(new Uint8Array(60).fill(1))
    expect(budget.memoryBytes).toBe(40)
    await spill.write(new Uint8Array(60).fill(2))
    expect(budget.memoryBytes).toBe(100)
    const chunks: Uint8Array[] = []
    for await (const chunk of await spill.source('spill').open()) chunks.push(chunk.slice())
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([Buffer.alloc(60, 1), Buffer.alloc(60, 2)]))
    await spill.dispose()
    await spill.dispose()
    expect(readdirSync(folder)).toEqual([])
  })

  test('in a folder that is not there fail with the error of the file system', async () => {
    const options = { maxOpenInputs: 3, spillMemoryBytes: 1000, spillFolder: join(folder, 'missing') }
    await expect(merge(inputs(), options)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test('as many of the oldest inputs as possible are read only once', () => {
  expect(directSources(33, 32)).toBe(31)
  expect(directSources(100, 32)).toBe(29)
  expect(directSources(3000, 32)).toBe(1)
  for (let count = 3; count < 500; count++) {
    const kept = directSources(count, 8)
    expect(kept).toBeGreaterThanOrEqual(1)
    if (kept > 1) expect(kept + Math.ceil((count - kept) / 8)).toBeLessThanOrEqual(8)
  }
})
