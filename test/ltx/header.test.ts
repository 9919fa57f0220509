import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createHeader,
  decodeHeader,
  encodeHeader,
  HEADER_FLAG_NO_CHECKSUM,
  type Header,
  readHeader,
} from '../../ltx/index.ts'
import { codeOf, fixture, headerOf, pieces, rejectedCodeOf } from './files.ts'

const MAX = 0xffffffffffffffffn
const FLAG = 1n << 63n

describe('header bytes', () => {
  test('are those of the worked example, in both directions', () => {
    const bytes = fixture('ltx/block-l0-txid2-nochecksum-512.ltx').subarray(0, 100)
    const header: Header = {
      flags: HEADER_FLAG_NO_CHECKSUM,
      pageSize: 512,
      commit: 4,
      minTXID: 2n,
      maxTXID: 2n,
      timestampMs: 1700000001123,
      preApplyChecksum: 0n,
      walOffset: 1640,
      walSize: 1072,
      walSalt1: 0x11223344,
      walSalt2: 0x55667788,
      nodeID: 0n,
      reserved: new Uint8Array(20),
    }
    expect(decodeHeader(bytes)).toEqual(header)
    expect(encodeHeader(header)).toEqual(bytes)
  })

  test('keep the reserved part verbatim, and a copy of it', () => {
    const reserved = Uint8Array.from({ length: 20 }, (_, at) => at + 1)
    const bytes = encodeHeader(headerOf({ reserved }))
    const header = decodeHeader(Buffer.from(bytes))
    bytes.fill(0)
    expect(header.reserved).toEqual(reserved)
  })

  test('come back for every legal header', () => {
    const legal = fc
      .record({
        checksums: fc.boolean(),
        pageSize: fc.constantFrom(512, 1024, 2048, 4096, 8192, 16384, 32768, 65536),
        commit: fc.nat({ max: 0xffffffff }),
        txids: fc.tuple(fc.bigInt(1n, MAX), fc.bigInt(1n, MAX)),
        timestampMs: fc.maxSafeInteger(),
        preApplyChecksum: fc.bigInt(FLAG, MAX),
        walOffset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        walSize: fc.maxSafeNat(),
        walSalt1: fc.nat({ max: 0xffffffff }),
        walSalt2: fc.nat({ max: 0xffffffff }),
        nodeID: fc.bigInt(0n, MAX),
        reserved: fc.uint8Array({ minLength: 20, maxLength: 20 }),
      })
      .map(({ checksums, txids: [a, b], ...fields }): Header => {
        const minTXID = a < b ? a : b
        const tracked = checksums && minTXID !== 1n
        return {
          ...fields,
          flags: checksums ? 0 : HEADER_FLAG_NO_CHECKSUM,
          minTXID,
          maxTXID: a < b ? b : a,
          preApplyChecksum: tracked ? fields.preApplyChecksum : 0n,
        }
      })
    fc.assert(
      fc.property(legal, (header) => {
        expect(decodeHeader(encodeHeader(header))).toEqual(header)
      }),
    )
  })
})

describe('a header that is not legal is refused, written and read', () => {
  const cases: [string, string, Partial<Header>][] = [
    ['LTX_UNKNOWN_FLAGS', 'unknown flags', { flags: 4 }],
    ['LTX_UNKNOWN_FLAGS', 'the highest flag', { flags: 0x80000000 }],
    ['LTX_INVALID_PAGE_SIZE', 'page size 1, which is not how 65536 is written here', { pageSize: 1 }],
    ['LTX_INVALID_PAGE_SIZE', 'page size 256', { pageSize: 256 }],
    ['LTX_INVALID_PAGE_SIZE', 'page size 1000', { pageSize: 1000 }],
    ['LTX_INVALID_PAGE_SIZE', 'page size 131072', { pageSize: 131072 }],
    ['LTX_INVALID_TXID', 'no first TXID', { minTXID: 0n }],
    ['LTX_INVALID_TXID', 'no last TXID', { minTXID: 0n, maxTXID: 0n }],
    ['LTX_INVALID_TXID', 'a range that is none', { minTXID: 3n, maxTXID: 2n }],
    ['LTX_INVALID_WAL_FIELDS', 'a first salt without an offset', { walSalt1: 1 }],
    ['LTX_INVALID_WAL_FIELDS', 'a second salt without an offset', { walSalt2: 1 }],
    ['LTX_INVALID_WAL_FIELDS', 'a size without an offset', { walSize: 1 }],
    ['LTX_INVALID_PRE_APPLY_CHECKSUM', 'a checksum where there are none', { preApplyChecksum: FLAG }],
    ['LTX_INVALID_PRE_APPLY_CHECKSUM', 'no checksum where there must be one', { flags: 0 }],
    ['LTX_INVALID_PRE_APPLY_CHECKSUM', 'a checksum that is not marked', { flags: 0, preApplyChecksum: 7n }],
    [
      'LTX_INVALID_PRE_APPLY_CHECKSUM',
      'a checksum in a snapshot',
      { flags: 0, minTXID: 1n, preApplyChecksum: FLAG },
    ],
  ]
  test.each(cases)('%s: %s', (code, _, fields) => {
    const header = headerOf(fields)
    expect(codeOf(() => encodeHeader(header))).toBe(code)
    expect(codeOf(() => decodeHeader(unchecked(header)))).toBe(code)
  })

  const unwritable: [string, Partial<Header>][] = [
    ['LTX_INVALID_COMMIT', { commit: -1 }],
    ['LTX_INVALID_COMMIT', { commit: 1.5 }],
    ['LTX_INVALID_COMMIT', { commit: 2 ** 32 }],
    ['LTX_INVALID_TXID', { maxTXID: MAX + 1n }],
    ['LTX_INVALID_TIMESTAMP', { timestampMs: 0.5 }],
    ['LTX_INVALID_TIMESTAMP', { timestampMs: Number.NaN }],
    ['LTX_INVALID_WAL_FIELDS', { walOffset: -1 }],
    ['LTX_INVALID_WAL_FIELDS', { walOffset: 32, walSalt1: -1 }],
    ['LTX_INVALID_NODE_ID', { nodeID: -1n }],
    ['LTX_INVALID_NODE_ID', { nodeID: MAX + 1n }],
    ['LTX_INVALID_RESERVED', { reserved: new Uint8Array(19) }],
  ]
  test.each(unwritable)('%s: %o', (code, fields) => {
    expect(codeOf(() => encodeHeader(headerOf(fields)))).toBe(code)
  })

  test('a negative WAL offset, and numbers beyond 2^53', () => {
    for (const [at, code] of [
      [48, 'LTX_INVALID_WAL_FIELDS'],
      [56, 'LTX_INVALID_WAL_FIELDS'],
      [32, 'LTX_INVALID_TIMESTAMP'],
    ] as const) {
      for (const value of [1n << 54n, -(1n << 60n)]) {
        const bytes = encodeHeader(headerOf({ walOffset: 32 }))
        new DataView(bytes.buffer).setBigInt64(at, value)
        expect(codeOf(() => decodeHeader(bytes))).toBe(code)
      }
    }
  })

  test('a time before 1970 is legal', () => {
    expect(decodeHeader(encodeHeader(headerOf({ timestampMs: -5 }))).timestampMs).toBe(-5)
  })
})

describe('what is no header', () => {
  test('other magic, and too few bytes', () => {
    expect(codeOf(() => decodeHeader(fixture('ltx/bad-magic.ltx')))).toBe('LTX_BAD_MAGIC')
    expect(codeOf(() => decodeHeader(new Uint8Array(99)))).toBe('LTX_TRUNCATED')
  })

  test('a compressed LiteFS file is named as what it is', () => {
    const bytes = unchecked(headerOf({ flags: 1 }))
    expect(codeOf(() => decodeHeader(bytes))).toBe('LTX_UNSUPPORTED_VERSION')
    expect(codeOf(() => encodeHeader(headerOf({ flags: 1 })))).toBe('LTX_UNKNOWN_FLAGS')
  })
})

describe('reading the header of a stream', () => {
  test('takes only what it needs and lets go of the source', async () => {
    const file = fixture('ltx/block-text-1024.ltx')
    let given = 0
    let released = false
    function* bytes(): Generator<Uint8Array> {
      try {
        for (const piece of pieces(file, 33)) {
          given += piece.length
          yield piece
        }
      } finally {
        released = true
      }
    }
    expect(await readHeader(bytes())).toEqual(decodeHeader(file))
    expect(given).toBe(4 * 33)
    expect(released).toBe(true)
  })

  test('says that a stream is too short', async () => {
    expect(await rejectedCodeOf(readHeader([new Uint8Array(40)]))).toBe('LTX_TRUNCATED')
    expect(await rejectedCodeOf(readHeader([]))).toBe('LTX_TRUNCATED')
  })
})

/** The bytes of a header without the checks. */
function unchecked(header: Header): Uint8Array {
  const bytes = encodeHeader(
    createHeader({ pageSize: 512, commit: 0, minTXID: 2n, maxTXID: 2n, timestampMs: 0 }),
  )
  const view = new DataView(bytes.buffer)
  view.setUint32(4, header.flags)
  view.setUint32(8, header.pageSize)
  view.setBigUint64(16, header.minTXID)
  view.setBigUint64(24, header.maxTXID)
  view.setBigUint64(40, header.preApplyChecksum)
  view.setBigInt64(48, BigInt(header.walOffset))
  view.setBigInt64(56, BigInt(header.walSize))
  view.setUint32(64, header.walSalt1)
  view.setUint32(68, header.walSalt2)
  return bytes
}
