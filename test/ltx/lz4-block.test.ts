import * as fc from 'fast-check'
import lz4 from 'lz4-napi'
import { describe, expect, test } from 'vitest'
import { allocateByteBlock, wrapBytes } from '../../ltx/byte-block.ts'
import { compressBlock, maxBlockSizeBytes } from '../../ltx/lz4-compress.ts'
import { decompressBlock, MALFORMED_BLOCK } from '../../ltx/lz4-decompress.ts'
import { lz4Block, pageOf } from './files.ts'

/** Compresses with ours, somewhere inside a larger buffer. */
function compressed(data: Uint8Array): Uint8Array {
  const source = allocateByteBlock(data.length)
  source.bytes.set(data)
  const target = allocateByteBlock(maxBlockSizeBytes(data.length) + 5)
  const end = compressBlock(source, data.length, target, 5)
  return target.bytes.slice(5, end)
}

function decompressed(block: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  const target = allocateByteBlock(sizeBytes)
  const end = decompressBlock(wrapBytes(block), 0, block.length, target, 0, sizeBytes, 0)
  return end === MALFORMED_BLOCK ? undefined : target.bytes.slice(0, end)
}

/** Decompresses with the library. */
function reference(block: Uint8Array, sizeBytes: number): Uint8Array {
  const prefixed = Buffer.alloc(4 + block.length)
  prefixed.writeUInt32LE(sizeBytes, 0)
  prefixed.set(block, 4)
  return new Uint8Array(lz4.uncompressSync(prefixed))
}

/** Bytes as pages have them: noise, repeats of every distance, zeros. */
const pageBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 60 }))
        .map(([unit, times]) => {
          return Uint8Array.from(Array.from({ length: times }, () => [...unit]).flat())
        }),
      fc.integer({ min: 1, max: 700 }).map((length) => new Uint8Array(length)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)))

const samples: [string, Uint8Array][] = [0, 1, 4, 11, 12, 13, 14, 64, 512, 4096, 65536].flatMap((size) => [
  [`${size} zeros`, new Uint8Array(size)] as [string, Uint8Array],
  [`${size} bytes half noise`, pageOf(3, size)] as [string, Uint8Array],
  [`${size} bytes of noise`, pageOf(5, size * 2).slice(0, size)] as [string, Uint8Array],
])

describe('compressing a block', () => {
  test.each(samples.filter(([, data]) => data.length > 0))(
    '%s: the library reads what we wrote',
    (_, data) => {
      expect(Buffer.compare(reference(compressed(data), data.length), data)).toBe(0)
    },
  )

  test('any bytes come back, from the library and from ours', () => {
    fc.assert(
      fc.property(pageBytes, (data) => {
        const block = compressed(data)
        expect(block.length).toBeLessThanOrEqual(maxBlockSizeBytes(data.length))
        expect(Buffer.compare(decompressed(block, data.length)!, data)).toBe(0)
        if (data.length > 0) expect(Buffer.compare(reference(block, data.length), data)).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('keeps to the rules for the end of a block: five literals, and no match in the last twelve bytes', () => {
    fc.assert(
      fc.property(pageBytes, (data) => {
        const { lastLiterals, lastMatchStart } = layoutOf(compressed(data))
        if (lastMatchStart === undefined) return
        expect(lastLiterals).toBeGreaterThanOrEqual(5)
        expect(data.length - lastMatchStart).toBeGreaterThanOrEqual(12)
      }),
    )
  })

  test('the same page gives the same block, whatever came before', () => {
    const page = pageOf(7, 4096)
    const first = compressed(page)
    for (let other = 0; other < 40; other++) compressed(pageOf(other, 4096))
    expect(Buffer.compare(compressed(page), first)).toBe(0)
  })

  test('is about as good as the library', () => {
    const text = Buffer.from('a record with some text, a number and a status: pending; '.repeat(2000))
    const page = Uint8Array.from(text.subarray(0, 4096), (byte, at) =>
      at % 9 === 0 ? (at * 31) & 255 : byte,
    )
    expect(compressed(page).length).toBeLessThan(lz4Block(page).length * 1.05)
  })

  test('never gives up positions of an older page for those of its own, also after two billion bytes', () => {
    // The table of positions starts again some time on the way there.
    const source = allocateByteBlock(65536)
    source.bytes.fill(0)
    const target = allocateByteBlock(maxBlockSizeBytes(65536))
    for (let round = 0; round < 40_000; round++) compressBlock(source, 65536, target, 0)
    const page = pageOf(9, 65536)
    expect(Buffer.compare(reference(compressed(page), 65536), page)).toBe(0)
  })
})

describe('decompressing a block', () => {
  test.each(samples)('%s: we read what the library wrote', (_, data) => {
    expect(Buffer.compare(decompressed(lz4Block(data), data.length)!, data)).toBe(0)
  })

  test('refuses a block that ends inside a length, an offset or a match', () => {
    expect(decompressed(Uint8Array.of(), 8)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0xf0), 300)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0xf0, 255), 300)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x40, 1, 2, 3), 8)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x10, 1, 1), 8)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x10, 1, 1, 0), 8)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x1f, 1, 1, 0), 80)).toBeUndefined()
  })

  test('refuses a match of distance 0, or from before the start', () => {
    expect(decompressed(Uint8Array.of(0x10, 1, 0, 0, 0x10, 2), 64)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x10, 1, 2, 0, 0x10, 2), 64)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x10, 1, 1, 0, 0x10, 2), 64)).toEqual(Uint8Array.of(1, 1, 1, 1, 1, 2))
  })

  test('refuses a block that holds more than it may', () => {
    const page = pageOf(1, 512)
    for (const sizeBytes of [0, 1, 255, 511]) expect(decompressed(lz4Block(page), sizeBytes)).toBeUndefined()
    expect(decompressed(lz4Block(page), 600)).toHaveLength(512)
  })

  test('refuses a match that goes on beyond what there may be', () => {
    expect(decompressed(Uint8Array.of(0x1f, 1, 1, 0, 200, 0x10, 2), 400)).toHaveLength(221)
    expect(decompressed(Uint8Array.of(0x1f, 1, 1, 0, 200, 0x10, 2), 219)).toBeUndefined()
    expect(decompressed(Uint8Array.of(0x4f, 1, 2, 3, 4, 4, 0, 200, 0x10, 2), 64)).toBeUndefined()
  })

  test('of a damaged block gives bytes or a refusal, and stays inside its memory', () => {
    fc.assert(
      fc.property(pageBytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (data, at, change) => {
        const block = lz4Block(data)
        block[at % block.length]! ^= change
        const target = allocateByteBlock(data.length + 32)
        target.bytes.fill(0xee)
        decompressBlock(wrapBytes(block), 0, block.length, target, 0, data.length, 0)
        expect(target.bytes.subarray(data.length + 8).every((byte) => byte === 0xee)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('of garbage gives bytes or a refusal, and stays inside its memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 600 }), (garbage, sizeBytes) => {
        const target = allocateByteBlock(sizeBytes + 32)
        target.bytes.fill(0xee)
        decompressBlock(wrapBytes(garbage), 0, garbage.length, target, 16, sizeBytes, 16)
        expect(target.bytes.subarray(0, 16).every((byte) => byte === 0xee)).toBe(true)
        expect(target.bytes.subarray(Math.max(16, sizeBytes) + 8).every((byte) => byte === 0xee)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

/** Walks through the sequences of a block. */
function layoutOf(block: Uint8Array): { lastLiterals: number; lastMatchStart: number | undefined } {
  let at = 0
  let out = 0
  let lastMatchStart: number | undefined
  const length = (nibble: number): number => {
    let sum = nibble
    if (nibble === 15) {
      let more = 255
      while (more === 255) {
        more = block[at++]!
        sum += more
      }
    }
    return sum
  }
  for (;;) {
    const token = block[at++]!
    const literals = length(token >>> 4)
    at += literals
    out += literals
    if (at === block.length) return { lastLiterals: literals, lastMatchStart }
    at += 2
    lastMatchStart = out
    out += length(token & 15) + 4
  }
}
