import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Decoder, Encoder, type Header, type PagePayload } from '../../ltx/index.ts'
import { codeOf, decode, encode, fixture, headerOf, lz4Block, pageOf } from './files.ts'

const noSink = (): void => undefined

function fixtureOf(name: string): Uint8Array {
  return fixture(`ltx/${name}.ltx`)
}

/** Decodes a file and encodes it again, with its pages compressed as they were. */
function encodeAgain(file: Uint8Array, payload: PagePayload): Uint8Array {
  const decoder = new Decoder()
  decoder.push(file)
  decoder.end()
  const chunks: Uint8Array[] = []
  const { postApplyChecksum } = decode(file).trailer
  let encoder: Encoder | undefined
  for (;;) {
    const page = decoder.next()
    encoder ??= new Encoder(decoder.header!, (chunk) => chunks.push(chunk.slice()), { payload })
    if (typeof page === 'string') break
    const block = decoder.compressedPage()
    if (block === undefined) encoder.writePage(page.pgno, page.data)
    else encoder.writeCompressedPage(page.pgno, page.data, block)
  }
  encoder.finish(postApplyChecksum)
  return new Uint8Array(Buffer.concat(chunks))
}

const goldenFiles = readdirSync(new URL('../fixtures/ltx/', import.meta.url)).filter((name) =>
  /^(block|frame)-.*\.ltx$/.test(name),
)

// Only the compressor's choices differ from the Go files: 25 bytes a page here, 37 there.
const HEADER =
  '4c54583100000002000002000000000400000000000000020000000000000002' +
  '0000018bcfe56c63000000000000000000000000000006680000000000000430' +
  '11223344556677880000000000000000' +
  '0000000000000000000000000000000000000000'
const BLOCK_2 = '62706167652d3001005f322d427c000100ffd8500000000042'
const BLOCK_4 = '62706167652d3001005f342d427c000100ffd8500000000042'
function textPage(text: string): Uint8Array {
  const bytes = new Uint8Array(512)
  bytes.set(Buffer.from(text))
  bytes[511] = 'B'.charCodeAt(0)
  return bytes
}

function example(payload: PagePayload): string {
  const header = headerOf({
    timestampMs: 1700000001123,
    walOffset: 1640,
    walSize: 1072,
    walSalt1: 0x11223344,
    walSalt2: 0x55667788,
  })
  const pages = [
    [2, textPage('page-00000002-B|')],
    [4, textPage('page-00000004-B|')],
  ] as const
  return Buffer.from(encode(header, pages, { payload })).toString('hex')
}

describe('golden bytes', () => {
  test.each(goldenFiles)(
    '%s: with the same compressed pages our file is the Go one, byte for byte',
    (name) => {
      const golden = fixture(`ltx/${name}`)
      const ours = encodeAgain(golden, name.startsWith('frame') ? 'frame' : 'block')
      expect(Buffer.from(ours).toString('hex')).toBe(Buffer.from(golden).toString('hex'))
    },
  )

  test('a file of blocks becomes the file of frames that another writer made of the same pages, and back', () => {
    for (const pair of ['l0-txid1-nochecksum-512', 'l0-txid2-nochecksum-512', 'zero-page-65536']) {
      const block = fixtureOf(`block-${pair}`)
      const frame = fixtureOf(`frame-${pair}`)
      expect(encodeAgain(block, 'frame')).toEqual(frame)
      expect(encodeAgain(frame, 'block')).toEqual(block)
    }
  })

  test('the worked example as blocks', () => {
    expect(example('block')).toBe(
      [
        HEADER,
        `00000002000100000019${BLOCK_2}`,
        `00000004000100000019${BLOCK_4}`,
        '000000000000',
        '026423048701230000000000000000080000000000000000e43b264dee9a8a20',
      ].join(''),
    )
  })

  test('the worked example as frames', () => {
    expect(example('frame')).toBe(
      [
        HEADER,
        `00000002000004224d186440a719000000${BLOCK_2}00000000dc653d19`,
        `00000004000004224d186440a719000000${BLOCK_4}000000007742eaf1`,
        '000000000000',
        '026432049601320000000000000000080000000000000000f30ecab18c828fac',
      ].join(''),
    )
  })

  test('the smallest file has 131 bytes', () => {
    expect(encode(headerOf(), [])).toHaveLength(131)
  })
})

describe('pages', () => {
  const page = pageOf(1, 512)
  const refused = (header: Partial<Header>, ...pgnos: number[]): string | undefined =>
    codeOf(() => {
      const encoder = new Encoder(headerOf(header), noSink)
      for (const pgno of pgnos) encoder.writePage(pgno, page)
    })

  test('ascend', () => {
    expect(refused({}, 2, 2)).toBe('LTX_OUT_OF_ORDER')
    expect(refused({}, 3, 2)).toBe('LTX_OUT_OF_ORDER')
    expect(refused({}, 1, 2, 4)).toBeUndefined()
  })

  test('are page numbers', () => {
    for (const pgno of [0, -1, 1.5, Number.NaN, 2 ** 32, Number.POSITIVE_INFINITY]) {
      expect(refused({}, pgno), String(pgno)).toBe('LTX_INVALID_PGNO')
    }
  })

  test('end with the database', () => {
    expect(refused({ commit: 4 }, 5)).toBe('LTX_PAGE_BEYOND_COMMIT')
    expect(refused({ commit: 0 }, 1)).toBe('LTX_PAGE_BEYOND_COMMIT')
    expect(refused({ commit: 0, minTXID: 1n }, 1)).toBe('LTX_PAGE_BEYOND_COMMIT')
  })

  test('have the size of a page', () => {
    for (const size of [0, 511, 513]) {
      const encoder = new Encoder(headerOf(), noSink)
      expect(codeOf(() => encoder.writePage(1, new Uint8Array(size)))).toBe('LTX_PAGE_SIZE_MISMATCH')
    }
  })

  test('of a snapshot leave none out', () => {
    expect(refused({ minTXID: 1n }, 2)).toBe('LTX_OUT_OF_ORDER')
    expect(refused({ minTXID: 1n }, 1, 3)).toBe('LTX_INCOMPLETE_SNAPSHOT')
    const encoder = new Encoder(headerOf({ minTXID: 1n, commit: 3 }), noSink)
    encoder.writePage(1, page)
    encoder.writePage(2, page)
    expect(codeOf(() => encoder.finish())).toBe('LTX_INCOMPLETE_SNAPSHOT')
    encoder.writePage(3, page)
    expect(encoder.finish().pages).toBe(3)
  })

  test('that are refused leave no trace', () => {
    const chunks: Uint8Array[] = []
    const encoder = new Encoder(headerOf(), (chunk) => chunks.push(chunk.slice()))
    encoder.writePage(2, page)
    for (const pgno of [0, 1, 2, 9]) expect(codeOf(() => encoder.writePage(pgno, page))).toBeDefined()
    encoder.writePage(4, page)
    encoder.finish()
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.from(
        encode(headerOf(), [
          [2, page],
          [4, page],
        ]),
      ),
    )
  })

  test('are copied, also out of a Buffer that is part of another', () => {
    const big = Buffer.alloc(2048, 7)
    const encoder = new Encoder(headerOf(), noSink)
    encoder.writePage(1, big.subarray(100, 612))
    big.fill(0)
    const later = encode(headerOf(), [[1, new Uint8Array(512).fill(7)]])
    expect(encoder.finish().trailer).toEqual(decode(later).trailer)
  })

  test('that come compressed are taken as they are', () => {
    const block = lz4Block(page)
    for (const payload of ['block', 'frame'] as const) {
      const chunks: Uint8Array[] = []
      const encoder = new Encoder(headerOf(), (chunk) => chunks.push(chunk.slice()), { payload })
      encoder.writeCompressedPage(3, page, block)
      encoder.finish()
      const file = Buffer.concat(chunks)
      expect(file.indexOf(Buffer.from(block))).toBeGreaterThan(0)
      expect(decode(new Uint8Array(file)).pages.get(3)).toEqual(page)
    }
  })

  test('that come in a block longer than any are refused', () => {
    const encoder = new Encoder(headerOf(), noSink)
    const code = codeOf(() => encoder.writeCompressedPage(3, page, new Uint8Array(512 + 2 + 17)))
    expect(code).toBe('LTX_OVERSIZED_PAYLOAD')
  })
})

/** The code that an empty file with that header and end deserves. */
function finish(fields: Partial<Header>, checksum?: bigint): string | undefined {
  return codeOf(() => new Encoder(headerOf(fields), noSink).finish(checksum))
}

describe('the end of a file', () => {
  const page = pageOf(1, 512)

  test('nothing can be written after it', () => {
    const encoder = new Encoder(headerOf(), noSink)
    encoder.finish()
    expect(codeOf(() => encoder.writePage(1, page))).toBe('LTX_CLOSED')
    expect(codeOf(() => encoder.finish())).toBe('LTX_CLOSED')
  })

  test('a sink that throws closes the encoder', () => {
    const failure = new Error('disk full')
    const encoder = new Encoder(headerOf({ commit: 1000 }), () => {
      throw failure
    })
    expect(() => encoder.finish()).toThrow(failure)
    expect(codeOf(() => encoder.writePage(1, page))).toBe('LTX_CLOSED')
  })

  test('a sink that throws in the middle closes the encoder', () => {
    const failure = new Error('disk full')
    const encoder = new Encoder(headerOf({ commit: 10_000 }), () => {
      throw failure
    })
    expect(() => {
      for (let pgno = 1; pgno < 10_000; pgno++) encoder.writePage(pgno, pageOf(pgno, 512))
    }).toThrow(failure)
    expect(codeOf(() => encoder.writePage(10_000, page))).toBe('LTX_CLOSED')
    expect(codeOf(() => encoder.finish())).toBe('LTX_CLOSED')
  })

  test('a checksum is asked for where there are checksums, and refused where there are none', () => {
    const tracked = { flags: 0, preApplyChecksum: 1n << 63n }
    expect(finish(tracked)).toBe('LTX_INVALID_POST_APPLY_CHECKSUM')
    expect(finish(tracked, 5n)).toBe('LTX_INVALID_POST_APPLY_CHECKSUM')
    expect(finish(tracked, (1n << 63n) | 5n)).toBeUndefined()
    expect(finish({}, 1n << 63n)).toBe('LTX_INVALID_POST_APPLY_CHECKSUM')
    expect(finish({}, 0n)).toBeUndefined()
  })

  test('a deletion ends in the checksum of the empty database, and needs checksums', () => {
    const tracked = { flags: 0, preApplyChecksum: (1n << 63n) | 9n, commit: 0 }
    expect(finish(tracked, 1n << 63n)).toBeUndefined()
    expect(finish(tracked, (1n << 63n) | 1n)).toBe('LTX_INVALID_POST_APPLY_CHECKSUM')
    expect(finish({ commit: 0 })).toBe('LTX_INVALID_COMMIT')
  })

  test('a snapshot adds its checksum up itself, and refuses another', () => {
    const { header, pages, trailer } = decode(fixtureOf('block-snapshot-checksummed-512'))
    expect(decode(encode(header, pages)).trailer.postApplyChecksum).toBe(trailer.postApplyChecksum)
    expect(codeOf(() => encode(header, pages, { postApplyChecksum: (1n << 63n) | 1n }))).toBe(
      'LTX_POST_APPLY_MISMATCH',
    )
  })
})

describe('the sink', () => {
  test('gets pieces of bounded size that add up to the file', () => {
    const lengths: number[] = []
    const encoder = new Encoder(headerOf({ commit: 20_000, pageSize: 4096 }), (chunk) =>
      lengths.push(chunk.length),
    )
    for (let pgno = 1; pgno <= 2000; pgno++) encoder.writePage(pgno, pageOf(pgno, 4096))
    const { sizeBytes } = encoder.finish()
    expect(Math.max(...lengths)).toBeLessThanOrEqual(128 * 1024)
    expect(lengths.reduce((sum, length) => sum + length)).toBe(sizeBytes)
  })

  test('is given a large index piece by piece', () => {
    const zero = new Uint8Array(512)
    const lengths: number[] = []
    const encoder = new Encoder(headerOf({ commit: 100_000 }), (chunk) => lengths.push(chunk.length))
    for (let pgno = 1; pgno <= 100_000; pgno++) encoder.writePage(pgno, zero)
    const before = lengths.length
    let steps = 0
    for (const finishing = encoder.finishInSteps(); finishing.next().done !== true;) {
      steps++
      expect(lengths.length - before).toBeLessThanOrEqual(steps + 1)
    }
    expect(steps).toBeGreaterThan(4)
  })

  test('of two encoders at once is not mixed up', () => {
    const whole = encode(headerOf(), [[2, pageOf(2, 512)]])
    const first: Uint8Array[] = []
    const second: Uint8Array[] = []
    const one = new Encoder(headerOf(), (chunk) => first.push(chunk.slice()))
    const two = new Encoder(headerOf(), (chunk) => second.push(chunk.slice()))
    one.writePage(2, pageOf(2, 512))
    two.writePage(2, pageOf(2, 512))
    one.finish()
    two.finish()
    expect(new Uint8Array(Buffer.concat(first))).toEqual(whole)
    expect(new Uint8Array(Buffer.concat(second))).toEqual(whole)
  })
})
