/** Longest unsigned varint of a page index value: seven bits a byte, values below 2^53. */
export const MAX_UVARINT_BYTES = 8

/**
 * Writes `value` (0 to 2^53 - 1) as a little-endian base-128 number and returns the index after it
 * (LTX v3, page index). The caller has made sure of the room.
 */
export function writeUvarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  let end = at
  while (rest > 0x7fffffff) {
    // Bit operators cut at 32 bits; offsets of large files go beyond.
    target[end++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    target[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[end++] = rest
  return end
}
