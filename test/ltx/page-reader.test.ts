import { describe, expect, test } from 'vitest'
import { PageReader, type RandomAccess } from '../../ltx/index.ts'
import { PageIndex } from '../../ltx/page-index.ts'
import {
  assemble,
  encode,
  fixture,
  headerOf,
  pageOf,
  rawBlockFrame,
  type RawFile,
  rejectedCodeOf,
} from './files.ts'

interface Requests extends RandomAccess {
  readonly requests: (readonly [offset: number, length: number])[]
}

function accessTo(file: Uint8Array): Requests {
  const requests: [number, number][] = []
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    requests.push([offset, length])
    return Promise.resolve(file.slice(offset, offset + length))
  }
  return { sizeBytes: file.length, read, requests }
}

/** A file whose index does not fit into the first request. */
function largeFile(pages: number): Uint8Array {
  const zero = new Uint8Array(512)
  const contents = Array.from(
    { length: pages },
    (_, at) => [at + 1, at % 100 === 0 ? pageOf(at + 1, 512) : zero] as const,
  )
  return encode(headerOf({ minTXID: 1n, commit: pages }), contents)
}

describe('a small file', () => {
  test('is opened with one request, and a page read with one more', async () => {
    for (const payload of ['block', 'frame'] as const) {
      const file = encode(
        headerOf(),
        [2, 4].map((pgno) => [pgno, pageOf(pgno, 512)]),
        { payload },
      )
      const access = accessTo(file)
      const reader = await PageReader.open(access)
      expect(access.requests).toEqual([[0, file.length]])
      expect(await reader.readPage(4)).toEqual(pageOf(4, 512))
      expect(access.requests).toHaveLength(2)
      expect(reader.header).toEqual(headerOf())
      expect(reader.pages).toBe(2)
    }
  })

  test('does not have the pages that it does not have', async () => {
    const access = accessTo(
      encode(
        headerOf({ commit: 9 }),
        [2, 4].map((pgno) => [pgno, pageOf(pgno, 512)]),
      ),
    )
    const reader = await PageReader.open(access)
    for (const pgno of [0, 1, 3, 5, 9, 10, 2 ** 32, -1, 1.5])
      expect(await reader.readPage(pgno)).toBeUndefined()
    expect(access.requests).toHaveLength(1)
    expect([1, 2, 3, 4].map((pgno) => reader.hasPage(pgno))).toEqual([false, true, false, true])
  })
})

describe('a large file', () => {
  test('has its header and the rest of its index read, and no page', async () => {
    const file = largeFile(30_000)
    const access = accessTo(file)
    await PageReader.open(access)
    const tail = 32 * 1024
    const [first, second, third, ...more] = access.requests
    expect(first).toEqual([file.length - tail, tail])
    expect(second).toEqual([0, 100])
    expect(third![0]).toBeGreaterThan(30_000 * 10)
    expect(third![0] + third![1]).toBeGreaterThanOrEqual(file.length - tail)
    expect(more).toEqual([])
  })

  test('gives every page', async () => {
    const reader = await PageReader.open(accessTo(largeFile(3000)))
    for (const pgno of [1, 2, 101, 255, 256, 257, 258, 511, 512, 513, 1024, 2901, 3000]) {
      const expected = (pgno - 1) % 100 === 0 ? pageOf(pgno, 512) : new Uint8Array(512)
      expect(await reader.readPage(pgno), `page ${pgno}`).toEqual(expected)
    }
    expect(await reader.readPage(3001)).toBeUndefined()
  })

  test('keeps a compact index: a million pages in a few megabytes, found fast', () => {
    const index = new PageIndex(headerOf({ commit: 3_000_000 }))
    const entries: number[] = []
    let offset = 100
    for (let pgno = 1; pgno < 2_000_000; pgno += 2) {
      for (const value of [pgno, offset, 2100]) {
        let rest = value
        for (; rest > 0x7f; rest = Math.floor(rest / 128)) entries.push((rest % 128) | 0x80)
        entries.push(rest)
      }
      offset += 2100
    }
    entries.push(0)
    const before = process.memoryUsage().arrayBuffers
    const bytes = Uint8Array.from(entries)
    entries.length = 0
    for (let at = 0; at < bytes.length; at += 100_001) index.add(bytes.subarray(at, at + 100_001), 0, at)
    index.finish(offset, 0)
    expect(process.memoryUsage().arrayBuffers - before - bytes.length).toBeLessThan(6e6)
    expect(index.find(1_999_999)).toEqual({ offset: offset - 2100, sizeBytes: 2100 })
    expect(index.find(1_000_001)).toEqual({ offset: 100 + 500_000 * 2100, sizeBytes: 2100 })
    expect(index.find(1_000_000)).toBeUndefined()
  })
})

function open(file: Uint8Array): Promise<string | undefined> {
  return rejectedCodeOf(PageReader.open(accessTo(file)))
}

/** The file with one byte changed; a negative position counts from the end. */
function change(file: Uint8Array, at: number, value: number): Uint8Array {
  const changed = file.slice()
  changed[at < 0 ? file.length + at : at] = value
  return changed
}

describe('a damaged file is refused when it is opened', () => {
  const frames = [1, 2, 4].map((pgno) => rawBlockFrame(pgno, pageOf(pgno, 512)))
  const whole = assemble({ header: headerOf(), frames })

  test.each<[string, string, Partial<RawFile>]>([
    [
      'LTX_INDEX_MISMATCH',
      'another offset',
      { index: ([pgno, offset, size], at) => [pgno, offset + (at === 1 ? 1 : 0), size] },
    ],
    [
      'LTX_INDEX_MISMATCH',
      'another length',
      { index: ([pgno, offset, size], at) => [pgno, offset, size + (at === 2 ? 1 : 0)] },
    ],
    ['LTX_INDEX_MISMATCH', 'no length at all', { index: ([pgno, offset]) => [pgno, offset, 0] }],
    ['LTX_INDEX_MISMATCH', 'a page left out', { index: (entry, at) => (at === 2 ? [] : entry) }],
    ['LTX_INDEX_MISMATCH', 'no end', { indexEnd: new Uint8Array(0) }],
    ['LTX_INDEX_MISMATCH', 'two ends', { indexEnd: new Uint8Array(2) }],
    ['LTX_INDEX_MISMATCH', 'an endless number', { indexEnd: new Uint8Array(12).fill(0xff) }],
    ['LTX_INDEX_MISMATCH', 'a size of nothing', { statedIndexSize: 0n }],
    ['LTX_INDEX_MISMATCH', 'a size that is too small', { statedIndexSize: 9n }],
    ['LTX_INDEX_MISMATCH', 'a size beyond the file', { statedIndexSize: 10_000n }],
    ['LTX_INDEX_MISMATCH', 'a size of 64 bits', { statedIndexSize: 0xffffffffffffffffn }],
    [
      'LTX_OUT_OF_ORDER',
      'pages out of order',
      { index: ([pgno, offset, size], at) => [[2, 1, 4][at] ?? pgno, offset, size] },
    ],
    [
      'LTX_PAGE_BEYOND_COMMIT',
      'a page past the end',
      { index: ([pgno, offset, size], at) => [at === 2 ? 5 : pgno, offset, size] },
    ],
    ['LTX_INCOMPLETE_SNAPSHOT', 'a hole in a snapshot', { header: headerOf({ minTXID: 1n }) }],
    ['LTX_INVALID_POST_APPLY_CHECKSUM', 'a checksum where there are none', { postApplyChecksum: 5n }],
    [
      'LTX_INCOMPLETE_SNAPSHOT',
      'a snapshot that stops early',
      { header: headerOf({ minTXID: 1n }), frames: frames.slice(0, 2) },
    ],
  ])('%s: %s', async (code, _, changes) => {
    expect(await open(assemble({ header: headerOf(), frames, ...changes }))).toBe(code)
  })

  test('LTX_TRUNCATED: at any length that is too short for a file', async () => {
    for (let length = 0; length < 131; length++)
      expect(await open(whole.subarray(0, length))).toBe('LTX_TRUNCATED')
  })

  test('at any length at all', async () => {
    for (let length = 131; length < whole.length; length++) {
      expect(await open(whole.subarray(0, length)), `at ${length}`).toBeDefined()
    }
  })

  test('LTX_TRUNCATED: when there is less than the source has promised', async () => {
    const access = accessTo(whole)
    const promising: RandomAccess = {
      sizeBytes: whole.length + 5,
      read: (offset, length) => access.read(offset, length),
    }
    expect(await rejectedCodeOf(PageReader.open(promising))).toBe('LTX_TRUNCATED')
  })

  test('LTX_BAD_MAGIC: when it is something else', async () => {
    expect(await open(change(whole, 0, 0))).toBe('LTX_BAD_MAGIC')
    expect(await open(new Uint8Array(5000))).toBe('LTX_BAD_MAGIC')
  })

  test('LTX_INDEX_MISMATCH: when pages do not end where the index starts', async () => {
    const indexBytes = 4 + 4 + 4 + 1
    const marker = -(24 + indexBytes + 1)
    expect(await open(change(whole, marker, 1))).toBe('LTX_INDEX_MISMATCH')
  })
})

describe('a damaged page is refused when it is read', () => {
  const file = encode(
    headerOf(),
    [2, 4].map((pgno) => [pgno, pageOf(pgno, 512)]),
  )

  test('LTX_INDEX_MISMATCH: another page, no page, another length', async () => {
    const payloadSize = new DataView(file.buffer).getUint32(106)
    const changes: [string, number, number][] = [
      ['LTX_INDEX_MISMATCH', 100, 3],
      ['LTX_INVALID_PGNO', 100, 0],
      ['LTX_INDEX_MISMATCH', 106, payloadSize - 1],
      ['LTX_INDEX_MISMATCH', 106, payloadSize + 1],
    ]
    for (const [code, at, value] of changes) {
      const changed = file.slice()
      new DataView(changed.buffer).setUint32(at, value)
      const reader = await PageReader.open(accessTo(changed))
      expect(await rejectedCodeOf(reader.readPage(2)), `${value} at ${at}`).toBe(code)
      expect(await reader.readPage(4)).toEqual(pageOf(4, 512))
    }
  })

  test('the codes of its payload', async () => {
    const flags = file.slice()
    flags[105] = 3
    const reader = await PageReader.open(accessTo(flags))
    expect(await rejectedCodeOf(reader.readPage(2))).toBe('LTX_INVALID_PAGE_FLAGS')
    const framed = fixture('ltx/frame-l0-txid2-nochecksum-512.ltx')
    framed[150]! ^= 1
    const frames = await PageReader.open(accessTo(framed))
    expect(await rejectedCodeOf(frames.readPage(2))).toBe('LTX_CORRUPT_PAGE')
  })

  test('LTX_TRUNCATED: when the file has become shorter', async () => {
    const access = accessTo(file)
    let cut = false
    const read = (offset: number, length: number): Promise<Uint8Array> =>
      access.read(offset, cut ? 1 : length)
    const reader = await PageReader.open({ sizeBytes: file.length, read })
    cut = true
    expect(await rejectedCodeOf(reader.readPage(2))).toBe('LTX_TRUNCATED')
  })

  test('what the source rejects with is passed on', async () => {
    const failure = new Error('connection reset')
    const read = (): Promise<Uint8Array> => Promise.reject(failure)
    await expect(PageReader.open({ sizeBytes: 500, read })).rejects.toBe(failure)
  })
})
