import { describe, expect, test } from 'vitest'
import { Decoder, Encoder, type Header, lockPgno, PageReader } from '../../ltx/index.ts'
import { PageOrder } from '../../ltx/page-order.ts'
import { assemble, codeOf, decode, encode, headerOf, jsonFixture, pageOf, rawBlockFrame } from './files.ts'

const { lockPage } = jsonFixture('crc/vectors.json') as { lockPage: Record<string, number> }
const sizes = Object.entries(lockPage).map(([pageSize, pgno]) => ({ pageSize: Number(pageSize), pgno }))

describe.each(sizes)('page size $pageSize, lock page $pgno', ({ pageSize, pgno }) => {
  const header = headerOf({ pageSize, commit: pgno + 2 })
  const around = [pgno - 1, pgno + 1].map((at) => [at, pageOf(at, pageSize)] as const)

  test('is the page with the byte at 1 GiB', () => {
    expect(lockPgno(pageSize)).toBe(pgno)
    expect((pgno - 1) * pageSize).toBe(0x40000000)
  })

  test('is neither written nor read, its neighbours are', async () => {
    const file = encode(header, around)
    expect([...decode(file).pages.keys()]).toEqual([pgno - 1, pgno + 1])
    const encoder = new Encoder(header, () => undefined)
    expect(codeOf(() => encoder.writePage(pgno, pageOf(1, pageSize)))).toBe('LTX_LOCK_PAGE')
    const withLockPage = assemble({ header, frames: [rawBlockFrame(pgno, pageOf(1, pageSize))] })
    expect(codeOf(() => decode(withLockPage))).toBe('LTX_LOCK_PAGE')
    const read = async (offset: number, length: number): Promise<Uint8Array> =>
      file.slice(offset, offset + length)
    const reader = await PageReader.open({ sizeBytes: file.length, read })
    expect(reader.hasPage(pgno)).toBe(false)
    expect(await reader.readPage(pgno + 1)).toEqual(around[1]![1])
  })

  test('a snapshot goes from the page before to the page after', () => {
    expect(snapshotEnds({ pageSize, commit: pgno + 1 }, pgno + 1)).toBeUndefined()
    expect(snapshotEnds({ pageSize, commit: pgno + 1 }, pgno - 1)).toBe('LTX_INCOMPLETE_SNAPSHOT')
    // A database that ends with the lock page has all its pages without it.
    expect(snapshotEnds({ pageSize, commit: pgno }, pgno - 1)).toBeUndefined()
    expect(snapshotEnds({ pageSize, commit: pgno }, pgno + 1)).toBe('LTX_PAGE_BEYOND_COMMIT')
  })
})

/** Writes a snapshot without page data up to `last`; the code that it ends in. */
function snapshotEnds(
  { pageSize, commit }: Pick<Header, 'pageSize' | 'commit'>,
  last: number,
): string | undefined {
  const order = headerOf({ pageSize, commit, minTXID: 1n })
  return codeOf(() => {
    const pages = new PageOrder(order)
    for (let pgno = 1; pgno <= last; pgno++) if (pgno !== lockPgno(pageSize)) pages.accept(pgno)
    pages.finish()
  })
}

describe('a whole database beyond 1 GiB', () => {
  // The largest pages make the smallest database that has a lock page: 16,386 of them.
  test('is written and read as a snapshot without its lock page', () => {
    const header = headerOf({ pageSize: 65536, commit: 16386, minTXID: 1n, flags: 0 })
    const zero = new Uint8Array(65536)
    const decoder = new Decoder()
    let pages = 0
    const drain = (): void => {
      for (let result = decoder.next(); result !== 'need-input' && result !== 'end'; result = decoder.next())
        pages++
    }
    const encoder = new Encoder(header, (chunk) => {
      decoder.push(chunk)
      drain()
    })
    for (let pgno = 1; pgno <= 16386; pgno++) if (pgno !== 16385) encoder.writePage(pgno, zero)
    const { trailer } = encoder.finish()
    decoder.end()
    drain()
    expect(decoder.trailer).toEqual(trailer)
    expect(pages).toBe(16385)
  })
})
