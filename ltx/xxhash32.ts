const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f | 0
const PRIME_5 = 0x165667b1 | 0

/**
 * xxHash-32 with seed 0 of the bytes from `start` up to `end`, unsigned 32 bits (xxHash specification, XXH32).
 * The checksum inside LZ4 frames.
 */
export function xxHash32(view: DataView, start: number, end: number): number {
  const length = end - start
  let at = start
  let hash = PRIME_5
  if (length >= 16) {
    hash = hashStripes(view, start, end)
    at = start + (length & ~15)
  }
  hash = (hash + length) | 0
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(rotate(hash + Math.imul(view.getInt32(at, true), PRIME_3), 17), PRIME_4)
  }
  for (; at < end; at++) {
    hash = Math.imul(rotate(hash + Math.imul(view.getUint8(at), PRIME_5), 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function hashStripes(view: DataView, start: number, end: number): number {
  let a = (PRIME_1 + PRIME_2) | 0
  let b = PRIME_2
  let c = 0
  let d = -PRIME_1 | 0
  for (let at = start; at + 16 <= end; at += 16) {
    a = round(a, view.getInt32(at, true))
    b = round(b, view.getInt32(at + 4, true))
    c = round(c, view.getInt32(at + 8, true))
    d = round(d, view.getInt32(at + 12, true))
  }
  return (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
