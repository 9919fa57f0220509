import { ObjectStoreError } from './errors.ts'

/** The longest key in bytes of UTF-8, as in S3. */
export const MAX_KEY_BYTES = 1024

/** The longest segment in bytes of UTF-8: every file system takes it, and leaves room for the temporary name beside it. */
export const MAX_SEGMENT_BYTES = 200

// Control characters cannot be written in an S3 listing, and a lone surrogate has no UTF-8: two keys would be one.
// oxlint-disable-next-line no-control-regex
const UNUSABLE = /[\u0000-\u001f\u007f\\]|\p{Surrogate}/u

const PLAIN = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/

/**
 * True for the names that the file store needs for itself: dot files that end in `.tmp`, `.guard` or `.guard-journal`.
 * Reserved in every store, so that what one holds another can hold.
 */
export function isReservedSegment(segment: string): boolean {
  return segment.startsWith('.') && /\.(?:tmp|guard|guard-journal)$/i.test(segment)
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') return 'has an empty segment'
  if (segment === '.' || segment === '..') return 'has a dot segment'
  if (isReservedSegment(segment)) return 'uses a reserved name'
  if (segment.length * 3 > MAX_SEGMENT_BYTES && Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
    return 'has a segment that is too long'
  return undefined
}

function keyProblem(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (key.startsWith('/')) return 'is absolute'
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return 'is too long'
  if (UNUSABLE.test(key)) return 'has a character that is not allowed'
  for (const segment of key.split('/')) {
    const problem = segmentProblem(segment)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** True for keys that a store takes: see `assertKey`. */
export function isKey(key: string): boolean {
  // Keys of the hot path are short and plain; they need one look.
  if (key.length <= MAX_SEGMENT_BYTES && PLAIN.test(key)) return true
  return keyProblem(key) === undefined
}

function unsafe(what: string, value: string, problem: string): ObjectStoreError {
  return new ObjectStoreError('OBJECT_UNSAFE_KEY', `${what} ${problem}: ${JSON.stringify(value)}`, {
    key: value,
  })
}

/**
 * Refuses a key that is empty, absolute or too long, has an empty segment, `.` or `..`, a reserved name
 * (`isReservedSegment`), a backslash, a control character or a lone surrogate: `OBJECT_UNSAFE_KEY`.
 */
export function assertKey(key: string): void {
  if (isKey(key)) return
  throw unsafe('key', key, keyProblem(key) ?? 'is refused')
}

/** Refuses a list prefix that no key can have for its folders. Its last segment may be any beginning of a name. */
export function assertPrefix(prefix: string): void {
  const folder = folderOfKey(prefix)
  if (prefix.startsWith('/')) throw unsafe('prefix', prefix, 'is absolute')
  if (UNUSABLE.test(prefix)) throw unsafe('prefix', prefix, 'has a character that is not allowed')
  if (folder === '') return
  const problem = keyProblem(folder)
  if (problem !== undefined) throw unsafe('prefix', prefix, problem)
}

/** The folder of a key or of a prefix: what stands before its last `/`, or nothing. */
export function folderOfKey(key: string): string {
  const slash = key.lastIndexOf('/')
  return slash < 0 ? '' : key.slice(0, slash)
}

// UTF-16 puts the surrogates before U+E000, UTF-8 puts the characters that they stand for after U+FFFF.
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** Key order: that of the UTF-8 bytes, which S3 lists in. Negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return utf8Rank(left) - utf8Rank(right)
  }
  return a.length - b.length
}
