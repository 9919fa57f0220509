/**
 * CRC-64/GO-ISO: polynomial x^64 + x^4 + x^3 + x + 1, reflected, all ones in and out (LTX v3, checksums).
 *
 * The state is two int32 halves: bigint arithmetic is some hundred times slower. Because the polynomial is
 * sparse, eight bytes need no table of 256: multiplying the state by x^64 is multiplying it by
 * x^4 + x^3 + x + 1, which in reflected form is three shifts; the four bits that fall off the end come back
 * through OVERFLOW.
 */

/** What the lowest four bits of the state, shifted out, add to the upper half. */
const OVERFLOW: Int32Array = overflowTable()

/** What one byte, shifted out, adds to the upper half; the lower half of each entry is zero. */
const BYTE: Int32Array = byteTable()

function overflowTable(): Int32Array {
  const table = new Int32Array(16)
  for (let bits = 0; bits < 16; bits++) {
    const fallen = (bits << 28) ^ (bits << 29) ^ (bits << 31)
    table[bits] = fallen ^ (fallen >>> 1) ^ (fallen >>> 3) ^ (fallen >>> 4)
  }
  return table
}

function byteTable(): Int32Array {
  const table = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let high = 0
    let low = byte
    for (let bit = 0; bit < 8; bit++) {
      const fallen = low & 1
      low = (low >>> 1) | (high << 31)
      high = (high >>> 1) ^ (fallen * 0xd8000000)
    }
    table[byte] = high
  }
  return table
}

// Below this a DataView costs more than it saves.
const WORDS_FROM_BYTES = 64

/**
 * A running CRC-64. `update` as often as needed; `digest` (or the halves) may be asked at any time and does
 * not end the sum. Holds on to the last array it was given, as a cache.
 */
export class CRC64 {
  #high = -1
  #low = -1
  #viewed: Uint8Array | undefined
  #view: DataView | undefined

  /** Starts again from nothing. */
  reset(): this {
    this.#high = -1
    this.#low = -1
    return this
  }

  /** Adds `bytes` from `start` up to `end`. The bytes are not kept and not changed. */
  update(bytes: Uint8Array, start: number = 0, end: number = bytes.length): this {
    let at = start
    if (end - start >= WORDS_FROM_BYTES) at = this.#updateWords(this.#viewOf(bytes), start, end)
    let high = this.#high
    let low = this.#low
    for (; at < end; at++) {
      const carry = BYTE[(low ^ bytes[at]!) & 255]!
      low = (low >>> 8) | (high << 24)
      high = (high >>> 8) ^ carry
    }
    this.#high = high
    this.#low = low
    return this
  }

  /** Upper 32 bits of the sum so far, as an int32. */
  get high(): number {
    return ~this.#high
  }

  /** Lower 32 bits of the sum so far, as an int32. */
  get low(): number {
    return ~this.#low
  }

  /** The sum so far, unsigned 64 bits, without the flag that marks stored checksums. */
  digest(): bigint {
    return joinHalves(this.high, this.low)
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#viewed || this.#view === undefined) {
      this.#viewed = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#view
  }

  #updateWords(view: DataView, start: number, end: number): number {
    let high = this.#high
    let low = this.#low
    let at = start
    for (const last = end - 8; at <= last; at += 8) {
      low ^= view.getInt32(at, true)
      high ^= view.getInt32(at + 4, true)
      const carry = OVERFLOW[low & 15]!
      low = low ^ (low >>> 1) ^ (low >>> 3) ^ (low >>> 4) ^ (high << 31) ^ (high << 29) ^ (high << 28)
      high = high ^ (high >>> 1) ^ (high >>> 3) ^ (high >>> 4) ^ carry
    }
    this.#high = high
    this.#low = low
    return at
  }
}

/** The unsigned 64-bit value of two int32 halves. */
export function joinHalves(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
