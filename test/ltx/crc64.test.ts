import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CRC64 } from '../../ltx/index.ts'
import { jsonFixture } from './files.ts'

interface Vectors {
  crc64: { hex: string; crc: string }[]
}

const { crc64 } = jsonFixture('crc/vectors.json') as Vectors

/** The definition, bit by bit. */
function referenceCRC(bytes: Uint8Array): bigint {
  let state = 0xffffffffffffffffn
  for (const byte of bytes) {
    state ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) {
      state = (state & 1n) === 1n ? (state >> 1n) ^ 0xd800000000000000n : state >> 1n
    }
  }
  return state ^ 0xffffffffffffffffn
}

describe('CRC64', () => {
  test('gives the check value of CRC-64/GO-ISO for "123456789"', () => {
    expect(new CRC64().update(Buffer.from('123456789')).digest()).toBe(0xb90956c775a41001n)
  })

  test.each(crc64)('agrees with Go on $hex', ({ hex, crc }) => {
    expect(new CRC64().update(Buffer.from(hex, 'hex')).digest()).toBe(BigInt(`0x${crc}`))
  })

  test('is the definition for any bytes, at any alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 9 }), (bytes, skip) => {
        const moved = new Uint8Array(bytes.length + skip)
        moved.set(bytes, skip)
        expect(new CRC64().update(moved, skip).digest()).toBe(referenceCRC(bytes))
      }),
    )
  })

  test('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (parts) => {
        const crc = new CRC64()
        for (const part of parts) crc.update(part)
        expect(crc.digest()).toBe(new CRC64().update(Buffer.concat(parts)).digest())
      }),
    )
  })

  test('digest and halves do not end the sum, and reset starts again', () => {
    const crc = new CRC64().update(Buffer.from('12345'))
    crc.digest()
    expect(crc.update(Buffer.from('6789')).digest()).toBe(0xb90956c775a41001n)
    expect([crc.high >>> 0, crc.low >>> 0]).toEqual([0xb90956c7, 0x75a41001])
    expect(crc.reset().digest()).toBe(0n)
  })
})
