import { expect, test } from 'vitest'
import { xxHash32 } from '../../ltx/xxhash32.ts'
import { jsonFixture } from './files.ts'

const { xxh32 } = jsonFixture('crc/vectors.json') as { xxh32: { hex: string; sum: string }[] }

test.each(xxh32)('xxHash-32 of $hex is $sum', ({ hex, sum }) => {
  const bytes = Uint8Array.from(Buffer.from(`ffff${hex}ee`, 'hex'))
  expect(xxHash32(new DataView(bytes.buffer), 2, bytes.length - 1)).toBe(Number.parseInt(sum, 16))
})
