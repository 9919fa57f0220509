import type { BigIntStats } from 'node:fs'
import type { ETag } from './object-store.ts'

/** Objects up to this size have the hash of their bytes as ETag. */
export const HASHED_BYTES: number = 64 * 1024

/** A file's modification time in whole ms, to the nearest: times set through floating seconds fall a little short. */
export function modifiedMsOf(stat: { mtimeMs: number }): number {
  return Math.round(stat.mtimeMs)
}

/** The same from a stat in bigints. */
export function modifiedMsOfBig(stat: BigIntStats): number {
  return Math.round(Number(stat.mtimeNs) / 1e6)
}

/**
 * The ETag of a file too big to hash: size, modification time and inode. Another version may have the same one, if it
 * is as long, carries the same time and got the inode number of the first: a sign, and no ground for compare-and-swap.
 */
export function statETag(stat: BigIntStats): ETag {
  return `${stat.size.toString(16)}-${stat.mtimeNs.toString(16)}-${stat.ino.toString(16)}`
}

/**
 * Whole ms as the floating seconds that `utimes` takes. A little more than exact, so that no truncation on the way to
 * nanoseconds ends in the ms before: other programs cut instead of rounding.
 */
export function utimeOf(modifiedMs: number): number {
  return (modifiedMs + 0.0003) / 1000
}
