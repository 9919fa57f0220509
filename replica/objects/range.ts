import assert from 'node:assert/strict'
import type { ByteRange } from './object-store.ts'

/** First byte and byte after the last, within the object. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/** Cuts a range to an object of `sizeBytes`. No range is all of it. */
export function spanOf(range: ByteRange | undefined, sizeBytes: number): ByteSpan {
  if (range === undefined) return { start: 0, end: sizeBytes }
  const { offset, lengthBytes } = range
  assert(Number.isSafeInteger(offset) && offset >= 0, `range offset ${offset}`)
  assert(
    lengthBytes === undefined || (Number.isSafeInteger(lengthBytes) && lengthBytes >= 0),
    `range length ${lengthBytes}`,
  )
  const start = Math.min(offset, sizeBytes)
  return { start, end: lengthBytes === undefined ? sizeBytes : Math.min(sizeBytes, start + lengthBytes) }
}
