import * as fc from 'fast-check'
import lz4 from 'lz4-napi'
import { describe, expect, test } from 'vitest'
import { allocateByteBlock, wrapBytes } from '../../ltx/byte-block.ts'
import { maxBlockSizeBytes } from '../../ltx/lz4-compress.ts'
import {
  compressFrame,
  decompressFrame,
  FrameError,
  frameLength,
  maxFrameSizeBytes,
  WRITTEN_FRAME_OVERHEAD_BYTES,
} from '../../ltx/lz4-frame.ts'
import { xxHash32 } from '../../ltx/xxhash32.ts'
import { lz4Block, pageOf } from './files.ts'

const PAGE = 512

function xxh(bytes: Uint8Array): number {
  return xxHash32(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length)
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

interface FrameParts {
  blocks: { bytes: Uint8Array; stored?: boolean }[]
  content: Uint8Array
  flags?: number
  blockByte?: number
  contentSize?: number
  descriptorSum?: number
}

/** A frame by the book, with any of its options. */
function frameOf({
  blocks,
  content,
  flags = 0x64,
  blockByte = 0x40,
  contentSize,
  descriptorSum,
}: FrameParts): Uint8Array {
  const size = Buffer.alloc((flags & 8) === 0 ? 0 : 8)
  if (size.length > 0) size.writeBigUInt64LE(BigInt(contentSize ?? content.length))
  const descriptor = Buffer.concat([Uint8Array.of(flags, blockByte), size])
  const body = blocks.flatMap(({ bytes, stored }) => [
    u32(bytes.length + (stored === true ? 0x80000000 : 0)),
    bytes,
    ...((flags & 0x10) === 0 ? [] : [u32(xxh(bytes))]),
  ])
  const tail = (flags & 4) === 0 ? [] : [u32(xxh(content))]
  const sum = descriptorSum ?? (xxh(descriptor) >>> 8) & 255
  return new Uint8Array(
    Buffer.concat([u32(0x184d2204), descriptor, Uint8Array.of(sum), ...body, u32(0), ...tail]),
  )
}

function read(frame: Uint8Array, pageSize = PAGE): Uint8Array {
  const source = wrapBytes(frame)
  const length = frameLength(source.view, 0, frame.length, pageSize)
  if (length === undefined) throw new Error('frame has no end')
  const page = allocateByteBlock(pageSize)
  decompressFrame(source, 0, length, page, pageSize)
  return page.bytes.slice(0, pageSize)
}

function written(page: Uint8Array): Uint8Array {
  const source = allocateByteBlock(page.length)
  source.bytes.set(page)
  const target = allocateByteBlock(WRITTEN_FRAME_OVERHEAD_BYTES + maxBlockSizeBytes(page.length))
  return target.bytes.slice(0, compressFrame(source, page.length, target, 0))
}

const page = pageOf(1, PAGE)

describe('writing a frame', () => {
  test('uses the parameters of every LTX writer', () => {
    const frame = written(page)
    expect(Buffer.from(frame.subarray(0, 7)).toString('hex')).toBe('04224d186440a7')
    expect(Buffer.from(frame.subarray(-8, -4)).toString('hex')).toBe('00000000')
    expect(Buffer.from(frame.subarray(-4))).toEqual(Buffer.from(u32(xxh(page))))
  })

  test('the library reads what we wrote, compressed or stored', () => {
    for (const data of [page, new Uint8Array(4096), pageOf(2, 131072).slice(0, 65536)]) {
      expect(Buffer.compare(lz4.decompressFrameSync(Buffer.from(written(data))), data)).toBe(0)
    }
  })

  test('a page that does not compress is stored', () => {
    const noise = pageOf(3, 8192).slice(0, 4096)
    const frame = written(noise)
    expect(frame.length).toBe(4096 + WRITTEN_FRAME_OVERHEAD_BYTES)
    expect(new DataView(frame.buffer).getUint32(7, true)).toBe(0x80001000)
    expect(read(frame, 4096)).toEqual(noise)
  })
})

describe('reading a frame', () => {
  test.each([
    ['with no checksum at all', 0x60],
    ['with block checksums', 0x74],
    ['with its content size', 0x6c],
    ['with everything', 0x7c],
    ['with linked blocks', 0x44],
  ])('%s', (_, flags) => {
    expect(read(frameOf({ blocks: [{ bytes: lz4Block(page) }], content: page, flags }))).toEqual(page)
  })

  test.each([0x40, 0x50, 0x60, 0x70])('of block size code 0x%s', (blockByte) => {
    expect(read(frameOf({ blocks: [{ bytes: lz4Block(page) }], content: page, blockByte }))).toEqual(page)
  })

  test('that the library wrote', () => {
    for (const options of [{}, { contentChecksum: true }, { blockChecksums: true, contentChecksum: true }]) {
      expect(read(lz4.compressFrameSync(Buffer.from(page), options))).toEqual(page)
    }
  })

  test('of any blocks that make up a page', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: PAGE - 1 }), fc.boolean()), { maxLength: 12 }),
        fc.constantFrom(0x60, 0x64, 0x74, 0x7c, 0x40, 0x54),
        (cuts, flags) => {
          const edges = [...new Set([0, ...cuts.map(([at]) => at), PAGE])].sort((a, b) => a - b)
          const blocks = edges.slice(1).map((edge, at) => {
            const part = page.subarray(edges[at], edge)
            const stored = cuts[at]?.[1] ?? false
            return { bytes: stored ? part : lz4Block(part), stored }
          })
          expect(read(frameOf({ blocks, content: page, flags }))).toEqual(page)
        },
      ),
    )
  })

  test('lets a linked block reach back into the one before, and an independent one not', () => {
    // Four literals, then a block that repeats them 127 times from four bytes back.
    const first = Uint8Array.of(0x40, 9, 8, 7, 6)
    const second = Uint8Array.of(0x0f, 4, 0, 255, 228, 0x50, 9, 8, 7, 6, 9)
    const content = Uint8Array.from({ length: 511 }, (_, at) => [9, 8, 7, 6][at % 4]!)
    const exact = new Uint8Array([...content.subarray(0, 4 + 502), 9, 8, 7, 6, 9])
    const blocks = [{ bytes: first }, { bytes: second }]
    expect(read(frameOf({ blocks, content: exact, flags: 0x44 }), exact.length)).toEqual(exact)
    expect(() => read(frameOf({ blocks, content: exact, flags: 0x64 }), exact.length)).toThrow(FrameError)
  })

  test.each([
    ['a dictionary', { flags: 0x65 }],
    ['another version', { flags: 0xa4 }],
    ['reserved flags', { flags: 0x66 }],
    ['a reserved block size', { blockByte: 0x30 }],
    ['reserved bits of the block size', { blockByte: 0x41 }],
    ['a damaged descriptor', { descriptorSum: 0xa8 }],
    ['another content size', { flags: 0x6c, contentSize: 511 }],
    ['another content', { content: pageOf(2, PAGE) }],
  ] satisfies [string, Partial<FrameParts>][])('refuses %s', (_, change) => {
    expect(() => read(frameOf({ blocks: [{ bytes: lz4Block(page) }], content: page, ...change }))).toThrow(
      FrameError,
    )
  })

  test('refuses a wrong block checksum', () => {
    const frame = frameOf({ blocks: [{ bytes: lz4Block(page) }], content: page, flags: 0x70 })
    frame[frame.length - 5]! ^= 1
    expect(() => read(frame)).toThrow('block checksum')
  })

  test.each([
    ['less than a page', page.subarray(1)],
    ['more than a page', new Uint8Array([...page, 1])],
  ])('refuses %s', (_, content) => {
    for (const stored of [true, false]) {
      const bytes = stored ? content : lz4Block(content)
      for (const flags of [0x64, 0x60]) {
        expect(() => read(frameOf({ blocks: [{ bytes, stored }], content, flags }))).toThrow(FrameError)
      }
    }
  })

  test('refuses a skippable frame and the old format', () => {
    for (const magic of [0x184d2a50, 0x184c2102]) {
      expect(() => read(new Uint8Array(Buffer.concat([u32(magic), new Uint8Array(40)])))).toThrow(FrameError)
    }
  })

  test('refuses a block size that no page can have, before its bytes are there', () => {
    for (const word of [maxBlockSizeBytes(PAGE) + 1, 0x7fffffff, (0x80000000 | (PAGE + 1)) >>> 0]) {
      const head = Buffer.concat([Buffer.from('04224d186440a7', 'hex'), u32(word)])
      expect(() => frameLength(wrapBytes(head).view, 0, head.length, PAGE)).toThrow(FrameError)
    }
  })

  test('refuses an endless row of blocks that hold nothing', () => {
    const block = Buffer.concat([u32(1), Uint8Array.of(0)])
    const rows = Array.from({ length: maxFrameSizeBytes(PAGE) / block.length + 1 }, () => block)
    const frame = Buffer.concat([Buffer.from('04224d186440a7', 'hex'), ...rows])
    expect(() => frameLength(wrapBytes(frame).view, 0, frame.length, PAGE)).toThrow(FrameError)
  })
})

describe('the end of a frame', () => {
  test('is found without the bytes after it, whatever they are', () => {
    const frame = frameOf({ blocks: [{ bytes: lz4Block(page) }], content: page })
    for (let length = 0; length < frame.length; length++) {
      expect(frameLength(wrapBytes(frame.subarray(0, length)).view, 0, length, PAGE)).toBeUndefined()
    }
    const followed = new Uint8Array([...frame, ...frame])
    expect(frameLength(wrapBytes(followed).view, 0, followed.length, PAGE)).toBe(frame.length)
    expect(read(followed)).toEqual(page)
  })
})
