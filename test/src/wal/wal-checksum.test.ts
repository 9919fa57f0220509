import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { WALChecksum } from '../../../src/wal/index.ts'
import { hex32 } from './vectors.ts'

const vectors: [bigEndian: boolean, hex: string, sum: [string, string]][] = [
  [false, '0000000000000000', ['00000000', '00000000']],
  [false, '0001020304050607', ['03020100', '0a080604']],
  [false, '000102030405060708090a0b0c0d0e0f1011121314151617', ['5c504438', 'a4907c68']],
  [false, 'ffffffffffffffffffffffffffffffff', ['fffffffc', 'fffffff9']],
  [true, '0001020304050607', ['00010203', '0406080a']],
  [true, '000102030405060708090a0b0c0d0e0f1011121314151617', ['3844505c', '687c90a4']],
  [true, 'ffffffffffffffffffffffffffffffff', ['fffffffc', 'fffffff9']],
]

test.each(vectors)('the checksum with big-endian words %s over %s is known', (bigEndian, hex, sum) => {
  const checksum = new WALChecksum(bigEndian)
  checksum.update(new Uint8Array(Buffer.from(hex, 'hex')))
  expect([hex32(checksum.s0), hex32(checksum.s1)]).toEqual(sum)
})

test('the checksum does not depend on alignment, on the split, or on a seed in between', () => {
  const words = fc.uint8Array({ minLength: 0, maxLength: 512 }).map((b) => b.subarray(0, b.length & ~7))
  fc.assert(
    fc.property(words, fc.boolean(), fc.nat(), fc.nat({ max: 7 }), (bytes, bigEndian, cut, shift) => {
      const whole = new WALChecksum(bigEndian)
      whole.update(Uint8Array.from(bytes))
      const moved = new Uint8Array(new ArrayBuffer(bytes.length + 8), shift, bytes.length)
      moved.set(bytes)
      const at = bytes.length === 0 ? 0 : (cut % bytes.length) & ~7
      const first = new WALChecksum(bigEndian)
      first.update(moved.subarray(0, at))
      const second = new WALChecksum(bigEndian)
      second.seed(first.s0, first.s1)
      second.update(moved.subarray(at))
      expect([second.s0, second.s1]).toEqual([whole.s0, whole.s1])
    }),
  )
})

test('a length that is no multiple of eight is refused', () => {
  expect(() => new WALChecksum(false).update(new Uint8Array(12))).toThrow(RangeError)
})
