import { CHECKSUM_FLAG } from './constants.ts'
import { CRC64, joinHalves } from './crc64.ts'

/** Checksum of a database without pages, and the start of every rolling one (LTX v3, rolling checksum). */
export const EMPTY_DATABASE_CHECKSUM: bigint = CHECKSUM_FLAG

/** True when `checksum` is marked as present, which every stored checksum must be. */
export function isPresentChecksum(checksum: bigint): boolean {
  return (checksum & CHECKSUM_FLAG) !== 0n
}

/** Checksum of one page with its number, as it enters the rolling one (LTX v3, page checksum). */
export function pageChecksum(pgno: number, data: Uint8Array): bigint {
  return new RollingChecksum().toggle(pgno, data).digest()
}

/**
 * Checksum over all pages of a database, in any order (LTX v3, rolling checksum). The lock page does not
 * belong in it; leaving it out is the caller's part.
 */
export class RollingChecksum {
  #high = 0
  #low = 0
  readonly #crc = new CRC64()
  readonly #pgno = new Uint8Array(4)

  /** Starts from the checksum of a database, by default of an empty one. */
  constructor(start: bigint = EMPTY_DATABASE_CHECKSUM) {
    this.#high = Number(BigInt.asIntN(32, start >> 32n))
    this.#low = Number(BigInt.asIntN(32, start))
  }

  /**
   * Puts a page in, or takes the very same page out again: to replace a page, toggle the old and the new
   * one. The bytes are not kept.
   */
  toggle(pgno: number, data: Uint8Array): this {
    const prefix = this.#pgno
    prefix[0] = pgno >>> 24
    prefix[1] = pgno >>> 16
    prefix[2] = pgno >>> 8
    prefix[3] = pgno
    const crc = this.#crc.reset().update(prefix).update(data)
    this.#high ^= crc.high
    this.#low ^= crc.low
    return this
  }

  /** The checksum so far, marked as present. */
  digest(): bigint {
    return joinHalves(this.#high, this.#low) | CHECKSUM_FLAG
  }
}
