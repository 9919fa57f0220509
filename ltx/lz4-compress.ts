import type { ByteBlock } from './byte-block.ts'

/**
 * LZ4 block compression (LZ4 block format), greedy, one block of at most 64 KiB at a time.
 *
 * Ours rather than a native call per page: it writes straight into the encoder's output, and it allocates
 * nothing. A native call leaves a buffer behind that is only freed once the event loop turns, which a
 * synchronous snapshot does not let it do: memory then grows by the size of the database.
 */

const MIN_MATCH_BYTES = 4
// LZ4 block format, end of block: the last 5 bytes are literals, the last match starts 12 bytes before the end.
const LAST_LITERALS_BYTES = 5
const LAST_MATCH_BYTES = 12
const MAX_BLOCK_BYTES = 65536

// Measured on pages of databases: a smaller table is slower, for it finds more words that are not the same.
const HASH_BITS = 14
const HASH_SHIFT = 32 - HASH_BITS
const HASH_FACTOR = -1640531535

// Each step of the search goes one byte further for every 32 attempts without a match.
const SKIP_SHIFT = 5

// Positions of earlier blocks stay in the table and are told apart by this rising base, so that it need not
// be cleared for every page. Shared by all: compression never gives up the thread.
const positions = new Int32Array(1 << HASH_BITS)
let base = 1

/**
 * Largest block that `sizeBytes` can compress to; a longer one is no block of that many bytes
 * (LTX v3, page frame).
 */
export function maxBlockSizeBytes(sizeBytes: number): number {
  return sizeBytes + Math.floor(sizeBytes / 255) + 16
}

/**
 * Compresses the first `length` bytes of `source` into `target` from `at`, and returns the index after the
 * block. `target` has room for {@link maxBlockSizeBytes} and the overrun of a {@link ByteBlock}; so has
 * `source` for the overrun. Deterministic: the same bytes give the same block.
 */
export function compressBlock(source: ByteBlock, length: number, target: ByteBlock, at: number): number {
  const { bytes, view } = source
  const out = target.bytes
  const offset = nextBase(length)
  const lastMatch = length - LAST_MATCH_BYTES
  const matchEnd = length - LAST_LITERALS_BYTES
  let anchor = 0
  let end = at
  let from = 0
  search: while (from <= lastMatch) {
    // Look for four bytes that were seen before.
    let attempts = 1 << SKIP_SHIFT
    let next = from
    let start: number
    let match: number
    for (;;) {
      start = next
      next += attempts++ >>> SKIP_SHIFT
      if (start > lastMatch) break search
      const word = view.getInt32(start, true)
      const slot = Math.imul(word, HASH_FACTOR) >>> HASH_SHIFT
      match = positions[slot]! - offset
      positions[slot] = start + offset
      if (match >= 0 && view.getInt32(match, true) === word) break
    }
    while (start > anchor && match > 0 && bytes[start - 1] === bytes[match - 1]) {
      start--
      match--
    }
    const stop = matchUntil(source, start + MIN_MATCH_BYTES, match + MIN_MATCH_BYTES, matchEnd)
    const token = end
    const literals = start - anchor
    end = writeLiteralLength(out, end, literals)
    copyWords(source.view, anchor, target.view, end, literals)
    end += literals
    out[end++] = start - match
    out[end++] = (start - match) >>> 8
    end = writeMatchLength(out, token, end, stop - start - MIN_MATCH_BYTES)
    anchor = stop
    from = stop
    if (stop <= lastMatch) {
      positions[Math.imul(view.getInt32(stop - 2, true), HASH_FACTOR) >>> HASH_SHIFT] = stop - 2 + offset
    }
  }
  const literals = length - anchor
  end = writeLiteralLength(out, end, literals)
  copyWords(source.view, anchor, target.view, end, literals)
  return end + literals
}

function nextBase(length: number): number {
  if (base > 0x7fffffff - 2 * MAX_BLOCK_BYTES) {
    positions.fill(0)
    base = 1
  }
  const current = base
  base += length
  return current
}

/** Index after the last byte from `at` that equals the one from `match`, not beyond `limit`. */
function matchUntil({ bytes, view }: ByteBlock, at: number, match: number, limit: number): number {
  let end = at
  let earlier = match
  for (const last = limit - 4; end <= last; end += 4, earlier += 4) {
    const difference = view.getInt32(end, true) ^ view.getInt32(earlier, true)
    if (difference !== 0) return end + ((31 - Math.clz32(difference & -difference)) >>> 3)
  }
  while (end < limit && bytes[end] === bytes[earlier]) {
    end++
    earlier++
  }
  return end
}

/** Writes token and literal length; the match length joins the token later. */
function writeLiteralLength(out: Uint8Array, at: number, literals: number): number {
  if (literals < 15) {
    out[at] = literals << 4
    return at + 1
  }
  out[at] = 0xf0
  return writeRest(out, at + 1, literals - 15)
}

function writeMatchLength(out: Uint8Array, token: number, at: number, length: number): number {
  if (length < 15) {
    out[token]! |= length
    return at
  }
  out[token]! |= 0x0f
  return writeRest(out, at, length - 15)
}

function writeRest(out: Uint8Array, at: number, length: number): number {
  let end = at
  let rest = length
  for (; rest >= 255; rest -= 255) out[end++] = 255
  out[end++] = rest
  return end
}

/** Copies four bytes at a time, and so up to three bytes too many on either side. */
function copyWords(source: DataView, from: number, target: DataView, to: number, length: number): void {
  for (let at = 0; at < length; at += 4) target.setInt32(to + at, source.getInt32(from + at, true), true)
}
