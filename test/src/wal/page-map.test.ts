import { expect, test } from 'vitest'
import { BufferWALSource, readPageMap, readPageNumbers, WALReader } from '../../../src/wal/index.ts'
import { validVectorNames, walVector, type WALVector } from './vectors.ts'

function open(vector: WALVector): WALReader {
  const result = WALReader.open(new BufferWALSource(vector.wal))
  if ('kind' in result) throw new Error(result.reason)
  return result.reader
}

test.each(validVectorNames)('the page map of %s is the known one', (name) => {
  const vector = walVector(name)
  const { expected } = vector
  const map = readPageMap(open(vector))
  const pages = Object.fromEntries([...map.pages].map(([pgno, offset]) => [String(pgno), offset]))
  expect(pages).toEqual(expected.pageMap)
  expect(map.commit).toBe(expected.commit)
  expect(map.endOffset).toBe(expected.committedEnd === 0 ? 32 : expected.committedEnd)
  expect(map.limited).toBe(false)
})

test('every limit ends at the first commit at or beyond it and never splits a transaction', () => {
  const vector = walVector('vacuum-shrink-512')
  const ends = vector.expected.frames.filter((f) => f.commit > 0).map((f) => f.offset + 536)
  const limits = ends.flatMap((end) => [end - 33, end - 32, end - 31]).filter((limit) => limit <= 14504 - 32)
  for (const limitBytes of limits) {
    const map = readPageMap(open(vector), { limitBytes })
    expect(map.endOffset).toBe(ends.find((end) => end - 32 >= limitBytes))
    expect(map.limited).toBe(true)
  }
})

test('page maps in pieces, read one after the other, come to the map of the whole', () => {
  const vector = walVector('uncommitted-tail-512')
  const source = new BufferWALSource(vector.wal)
  const pages = new Map<number, number>()
  let reader = open(vector)
  const { salt1, salt2, pageSize, bigEndianChecksum } = reader.header!
  for (;;) {
    const map = readPageMap(reader, { limitBytes: 1 })
    if (map.commit === 0) break
    for (const [pgno, offset] of map.pages) pages.set(pgno, offset)
    for (const pgno of pages.keys()) if (pgno > map.commit) pages.delete(pgno)
    reader = WALReader.resume(source, { offset: map.endOffset, salt1, salt2, pageSize, bigEndianChecksum })
  }
  expect(Object.fromEntries(pages)).toEqual(vector.expected.pageMap)
})

test('page numbers include those of a transaction that never committed', () => {
  const vector = walVector('uncommitted-tail-512')
  const all = new Set(vector.expected.frames.map((frame) => frame.pgno))
  const committed = new Set(vector.expected.frames.slice(0, -1).map((frame) => frame.pgno))
  expect(readPageNumbers(open(vector))).toEqual(all)
  expect(all.size).toBeGreaterThanOrEqual(committed.size)
  expect(readPageMap(open(vector)).endOffset).toBeLessThan(vector.wal.length)
})
