import type { ByteBlock } from './byte-block.ts'

/** What {@link decompressBlock} returns for bytes that are no LZ4 block, or one that does not fit. */
export const MALFORMED_BLOCK = -1

// A match this long of one repeated byte is cheaper as a fill.
const FILL_FROM_BYTES = 64

// From here one call that copies them all is cheaper than copying words.
const COPY_FROM_BYTES = 512

/**
 * Decompresses the LZ4 block from `start` up to `end` of `source` into `target` from `at`, never beyond
 * `limit`, and returns the index after the last byte written or {@link MALFORMED_BLOCK} (LZ4 block format).
 * Matches reach back to `history`, which is `at` for a block that stands alone. `target` has the overrun of
 * a {@link ByteBlock} behind `limit`; bytes up to there may change.
 */
export function decompressBlock(
  source: ByteBlock,
  start: number,
  end: number,
  target: ByteBlock,
  at: number,
  limit: number,
  history: number,
): number {
  const bytes = source.bytes
  const out = target.bytes
  let from = start
  let to = at
  while (from < end) {
    const token = bytes[from++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (from >= end) return MALFORMED_BLOCK
        more = bytes[from++]!
        literals += more
      }
    }
    if (literals > end - from || literals > limit - to) return MALFORMED_BLOCK
    copyLiterals(source, from, end, target, to, literals)
    from += literals
    to += literals
    // A block ends with literals; one that ends with a match is cut off.
    if (from === end) return to
    if (end - from < 2) return MALFORMED_BLOCK
    const offset = bytes[from]! | (bytes[from + 1]! << 8)
    from += 2
    if (offset === 0 || offset > to - history) return MALFORMED_BLOCK
    let length = (token & 15) + 4
    if (length === 19) {
      let more = 255
      while (more === 255) {
        if (from >= end) return MALFORMED_BLOCK
        more = bytes[from++]!
        length += more
      }
    }
    if (length > limit - to) return MALFORMED_BLOCK
    if (offset >= 4) copyMatch(target.view, to, offset, length)
    else repeatMatch(out, to, offset, length)
    to += length
  }
  return MALFORMED_BLOCK
}

function copyLiterals(
  source: ByteBlock,
  from: number,
  end: number,
  target: ByteBlock,
  to: number,
  length: number,
): void {
  if (length >= COPY_FROM_BYTES) {
    target.bytes.set(source.bytes.subarray(from, from + length), to)
  } else if (from + length + 4 <= end) {
    for (let at = 0; at < length; at += 4) {
      target.view.setInt32(to + at, source.view.getInt32(from + at, true), true)
    }
  } else {
    // Words would read past the end of the block, where there may be nothing.
    for (let at = 0; at < length; at++) target.bytes[to + at] = source.bytes[from + at]!
  }
}

/** Copies four bytes at a time from at least four bytes back, which makes an overlap repeat itself as it must. */
function copyMatch(view: DataView, to: number, offset: number, length: number): void {
  const end = to + length
  for (let at = to; at < end; at += 4) view.setInt32(at, view.getInt32(at - offset, true), true)
}

function repeatMatch(out: Uint8Array, to: number, offset: number, length: number): void {
  const end = to + length
  if (offset === 1 && length >= FILL_FROM_BYTES) out.fill(out[to - 1]!, to, end)
  else for (let at = to; at < end; at++) out[at] = out[at - offset]!
}
