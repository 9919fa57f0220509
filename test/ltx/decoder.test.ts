import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decoder, type Header, HEADER_FLAG_NO_CHECKSUM, LTXError, type PagePayload } from '../../ltx/index.ts'
import { maxBlockSizeBytes } from '../../ltx/lz4-compress.ts'
import {
  assemble,
  codeOf,
  decode,
  encode,
  fingerprint,
  fixture,
  headerOf,
  lz4Block,
  pageOf,
  rawBlockFrame,
  type RawFile,
} from './files.ts'

const page = pageOf(1, 512)
const frameOfPage = (pgno: number, data = page) => rawBlockFrame(pgno, data)

describe('the strict reader', () => {
  test('takes a file that keeps to the rules, put together by hand', () => {
    const file = assemble({ header: headerOf(), frames: [frameOfPage(1), frameOfPage(4)] })
    expect([...decode(file).pages.keys()]).toEqual([1, 4])
  })

  const snapshot = headerOf({ minTXID: 1n, commit: 3 })
  const broken: [string, string, RawFile][] = [
    [
      'LTX_OUT_OF_ORDER',
      'pages that go back',
      { header: headerOf(), frames: [frameOfPage(3), frameOfPage(2)] },
    ],
    [
      'LTX_OUT_OF_ORDER',
      'a page that comes twice',
      { header: headerOf(), frames: [frameOfPage(3), frameOfPage(3)] },
    ],
    [
      'LTX_OUT_OF_ORDER',
      'a page that comes twice in a snapshot',
      { header: snapshot, frames: [frameOfPage(1), frameOfPage(1)] },
    ],
    [
      'LTX_INCOMPLETE_SNAPSHOT',
      'a hole in a snapshot',
      { header: snapshot, frames: [frameOfPage(1), frameOfPage(3)] },
    ],
    [
      'LTX_INCOMPLETE_SNAPSHOT',
      'a snapshot that stops early',
      { header: snapshot, frames: [frameOfPage(1), frameOfPage(2)] },
    ],
    ['LTX_INCOMPLETE_SNAPSHOT', 'a snapshot without pages', { header: snapshot, frames: [] }],
    [
      'LTX_PAGE_BEYOND_COMMIT',
      'a page past the end of the database',
      { header: headerOf(), frames: [frameOfPage(5)] },
    ],
    [
      'LTX_PAGE_BEYOND_COMMIT',
      'a page of an empty database',
      { header: headerOf({ commit: 0 }), frames: [frameOfPage(1)] },
    ],
    [
      'LTX_LOCK_PAGE',
      'the lock page',
      { header: headerOf({ commit: 3_000_000 }), frames: [frameOfPage(2097153)] },
    ],
    [
      'LTX_INVALID_PGNO',
      'page 0 with flags',
      { header: headerOf(), frames: [{ ...frameOfPage(1), pgno: 0 }] },
    ],
    [
      'LTX_INVALID_PAGE_FLAGS',
      'an unknown page flag',
      { header: headerOf(), frames: [{ ...frameOfPage(1), flags: 3 }] },
    ],
    [
      'LTX_UNSUPPORTED_VERSION',
      'layout 2',
      { header: headerOf(), frames: [{ ...frameOfPage(1), flags: 0x0422 }] },
    ],
    [
      'LTX_OVERSIZED_PAYLOAD',
      'a payload longer than any',
      { header: headerOf(), frames: [{ ...frameOfPage(1), statedSize: maxBlockSizeBytes(512) + 1 }] },
    ],
    [
      'LTX_CORRUPT_PAGE',
      'a page that is too short',
      { header: headerOf(), frames: [{ ...frameOfPage(1), payload: lz4Block(page.subarray(1)) }] },
    ],
    [
      'LTX_CORRUPT_PAGE',
      'a page that is too long',
      { header: headerOf(), frames: [{ ...frameOfPage(1), payload: lz4Block(new Uint8Array(513)) }] },
    ],
    [
      'LTX_CORRUPT_PAGE',
      'no payload',
      { header: headerOf(), frames: [{ ...frameOfPage(1), payload: new Uint8Array(0) }] },
    ],
    [
      'LTX_CORRUPT_PAGE',
      'bytes behind the block inside the payload',
      {
        header: headerOf(),
        frames: [{ ...frameOfPage(1), payload: new Uint8Array([...lz4Block(page), 0, 0]) }],
      },
    ],
    [
      'LTX_CORRUPT_PAGE',
      'a frame that is none',
      {
        header: headerOf(),
        frames: [{ pgno: 1, flags: 0, payload: new Uint8Array(40).fill(9), data: page }],
      },
    ],
    [
      'LTX_TRAILING_BYTES',
      'a byte after the trailer',
      { header: headerOf(), frames: [], after: Uint8Array.of(0) },
    ],
    [
      'LTX_INVALID_POST_APPLY_CHECKSUM',
      'a checksum where there are none',
      { header: headerOf(), frames: [], postApplyChecksum: 1n << 63n },
    ],
    ['LTX_INVALID_COMMIT', 'a deletion without checksums', { header: headerOf({ commit: 0 }), frames: [] }],
  ]
  test.each(broken)('%s: refuses %s', (code, _, file) => {
    expect(codeOf(() => decode(assemble(file)))).toBe(code)
  })

  const tracked: Partial<Header> = { flags: 0, preApplyChecksum: (1n << 63n) | 3n }
  const emptySnapshot: Partial<Header> = { flags: 0, minTXID: 1n, commit: 0 }
  const checksums: [string, Partial<Header>, bigint][] = [
    ['no checksum at the end', tracked, 0n],
    ['a checksum that is not marked', tracked, 77n],
    ['a deletion that leaves something', { ...tracked, commit: 0 }, (1n << 63n) | 1n],
    ['an empty snapshot that leaves something', emptySnapshot, (1n << 63n) | 1n],
    ['an empty snapshot without a checksum', emptySnapshot, 0n],
  ]
  test.each(checksums)('LTX_INVALID_POST_APPLY_CHECKSUM: refuses %s', (_, header, postApplyChecksum) => {
    const file = assemble({ header: headerOf(header), frames: [], postApplyChecksum })
    expect(codeOf(() => decode(file))).toBe('LTX_INVALID_POST_APPLY_CHECKSUM')
  })

  test('LTX_POST_APPLY_MISMATCH: refuses a snapshot whose pages do not add up', () => {
    const header = headerOf({ flags: 0, minTXID: 1n, commit: 1 })
    const file = assemble({ header, frames: [frameOfPage(1)], postApplyChecksum: (1n << 63n) | 3n })
    expect(codeOf(() => decode(file))).toBe('LTX_POST_APPLY_MISMATCH')
  })
})

describe('a page index that disagrees with the pages', () => {
  const frames = [frameOfPage(1), frameOfPage(2), frameOfPage(4)]
  const wrong: [string, Partial<RawFile>][] = [
    ['names another page', { index: ([pgno, ...rest], at) => [at === 1 ? 3 : pgno, ...rest] }],
    [
      'has another offset',
      { index: ([pgno, offset, size], at) => [pgno, at === 2 ? offset + 1 : offset, size] },
    ],
    [
      'has another length',
      { index: ([pgno, offset, size], at) => [pgno, offset, at === 0 ? size - 1 : size] },
    ],
    ['lacks a page', { index: (entry, at) => (at === 2 ? [] : entry) }],
    ['has a page too many', { index: (entry, at) => (at === 2 ? [...entry, 5, 9, 9] : entry) }],
    [
      'is in another order',
      { index: (entry, at) => (at === 0 ? [] : at === 1 ? [...entry, 1, 100, 9] : entry) },
    ],
    ['has no end', { indexEnd: new Uint8Array(0) }],
    ['ends in a number of two bytes', { indexEnd: Uint8Array.of(0x80, 0) }],
    ['says a greater size', { statedIndexSize: 100n }],
    ['says a size of 64 bits', { statedIndexSize: 1n << 63n }],
    ['says a size that leaves out its end', { statedIndexSize: 12n }],
  ]
  test.each(wrong)('LTX_INDEX_MISMATCH: %s', (_, change) => {
    expect(codeOf(() => decode(assemble({ header: headerOf(), frames, ...change })))).toBe(
      'LTX_INDEX_MISMATCH',
    )
  })

  test('is the only thing wrong with those files', () => {
    expect(decode(assemble({ header: headerOf(), frames })).pages.size).toBe(3)
  })
})

describe('pieces', () => {
  test('of any size give the same file', () => {
    for (const name of ['block-text-1024', 'frame-l0-txid1-nochecksum-512', 'frame-incompressible-4096']) {
      const file = fixture(`ltx/${name}.ltx`)
      const whole = decode(file)
      for (const chunkBytes of [1, 2, 3, 7, 64, 99, 100, 101, 4096])
        expect(decode(file, chunkBytes)).toEqual(whole)
    }
  })

  test('are copied: the caller may use its buffer again at once', () => {
    const file = fixture('ltx/block-text-1024.ltx')
    const expected = decode(file)
    const buffer = new Uint8Array(50)
    const decoder = new Decoder()
    const pages = new Map<number, Uint8Array>()
    for (let at = 0; at < file.length; at += buffer.length) {
      const piece = file.subarray(at, at + buffer.length)
      buffer.set(piece)
      decoder.push(buffer.subarray(0, piece.length))
      buffer.fill(0xee)
      for (let result = decoder.next(); typeof result !== 'string'; result = decoder.next()) {
        pages.set(result.pgno, result.data.slice())
      }
    }
    decoder.end()
    expect(decoder.next()).toBe('end')
    expect(pages).toEqual(expected.pages)
  })

  test('decode to the same pages as were encoded, for any pages, page size, payload and cut', () => {
    const input = fc.record({
      pageSize: fc.constantFrom(512, 1024, 4096, 65536),
      payload: fc.constantFrom<PagePayload>('block', 'frame'),
      snapshot: fc.boolean(),
      checksums: fc.boolean(),
      pages: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
      fill: fc.uint8Array({ minLength: 1, maxLength: 700 }),
      chunkBytes: fc.integer({ min: 1, max: 5000 }),
    })
    fc.assert(
      fc.property(input, ({ pageSize, payload, snapshot, checksums, pages, fill, chunkBytes }) => {
        const pgnos = snapshot ? pages.map((_, at) => at + 1) : pages.toSorted((a, b) => a - b)
        const commit = snapshot ? pgnos.length : 40
        // A file without checksums cannot leave an empty database.
        const tracked = checksums || commit === 0
        const header = headerOf({
          pageSize,
          commit,
          minTXID: snapshot ? 1n : 2n,
          flags: tracked ? 0 : HEADER_FLAG_NO_CHECKSUM,
          preApplyChecksum: tracked && !snapshot ? (1n << 63n) | 5n : 0n,
        })
        const contents = pgnos.map((pgno): [number, Uint8Array] => {
          return [
            pgno,
            Uint8Array.from({ length: pageSize }, (_, at) => (fill[(at * pgno) % fill.length]! + pgno) & 255),
          ]
        })
        const postApplyChecksum = tracked && !snapshot ? (1n << 63n) | 6n : undefined
        const file = encode(header, contents, {
          payload,
          ...(postApplyChecksum === undefined ? {} : { postApplyChecksum }),
        })
        const decoded = decode(file, chunkBytes)
        expect(decoded.header).toEqual(header)
        expect(fingerprint(decoded.pages)).toEqual(fingerprint(contents))
      }),
      { numRuns: 150 },
    )
  })
})

describe('the end', () => {
  test('is only said once the caller has said that nothing follows', () => {
    const decoder = new Decoder()
    decoder.push(fixture('ltx/block-nopages-nochecksum-512.ltx'))
    expect(decoder.next()).toBe('need-input')
    decoder.end()
    expect(decoder.next()).toBe('end')
    expect(decoder.next()).toBe('end')
    expect(decoder.trailer).toBeDefined()
    expect(codeOf(() => decoder.push(new Uint8Array(1)))).toBe('LTX_CLOSED')
  })

  test('no trailer is shown before it has been verified', () => {
    const decoder = new Decoder()
    decoder.push(fixture('ltx/bad-filechecksum.ltx'))
    decoder.end()
    expect(() => {
      while (decoder.next() !== 'end');
    }).toThrow(LTXError)
    expect(decoder.trailer).toBeUndefined()
  })

  test('an error stays: the same one comes again', () => {
    const decoder = new Decoder()
    decoder.push(fixture('ltx/bad-magic.ltx'))
    const errors = [0, 1].map(() => {
      try {
        return decoder.next()
      } catch (error) {
        return error
      }
    })
    expect(errors[0]).toBeInstanceOf(LTXError)
    expect(errors[1]).toBe(errors[0])
  })
})

describe('memory', () => {
  test('a stated payload size is not believed: nothing is reserved for it', () => {
    const file = assemble({ header: headerOf({ pageSize: 65536 }), frames: [] })
    const head = Buffer.alloc(10)
    head.writeUInt32BE(1, 0)
    head.writeUInt16BE(1, 4)
    head.writeUInt32BE(0xffffffff, 6)
    const decoder = new Decoder()
    decoder.push(Buffer.concat([file.subarray(0, 100), head]))
    expect(codeOf(() => decoder.next())).toBe('LTX_OVERSIZED_PAYLOAD')
  })
})

describe('the frame trap', () => {
  test('exactly one frame is read for a page: what follows it is the next page header', () => {
    const file = fixture('ltx/frame-l0-txid2-nochecksum-512.ltx')
    // Frames of 62 bytes at 100 and 162. A reader that joins frames would take the second one for the same page.
    const firstFrame = file.subarray(106, 162)
    const decoder = new Decoder()
    decoder.push(Buffer.concat([file.subarray(0, 162), firstFrame]))
    expect(decoder.next()).toMatchObject({ pgno: 2 })
    expect(decoder.offset).toBe(162)
    // 04 22 4D 18 64 40: read as a page header, its flags are none of ours.
    expect(codeOf(() => decoder.next())).toBe('LTX_INVALID_PAGE_FLAGS')
  })

  test('a page comes out as soon as its frame is there, without a byte of the next', () => {
    const file = fixture('ltx/frame-l0-txid2-nochecksum-512.ltx')
    const decoder = new Decoder()
    decoder.push(file.subarray(0, 161))
    expect(decoder.next()).toBe('need-input')
    decoder.push(file.subarray(161, 162))
    expect(decoder.next()).toMatchObject({ pgno: 2 })
    expect(decoder.next()).toBe('need-input')
  })
})
