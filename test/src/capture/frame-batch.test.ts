import { describe, expect, test } from 'vitest'
import { FrameBatch, type FrameBatchOptions } from '../../../src/capture/frame-batch.ts'
import { frameOffset } from '../../../src/sqlite/wal-file.ts'
import { BufferWALSource } from '../../../src/wal/index.ts'
import { type FakeFrame, FakeWAL } from '../../helpers/fake-wal.ts'

const SALT1_OFFSET = 8
const SALT2_OFFSET = 12

function batchOf(wal: FakeWAL, options: Partial<FrameBatchOptions> = {}): FrameBatch {
  const source = new BufferWALSource(wal.bytes)
  return new FrameBatch({
    wal: source,
    pageSize: wal.pageSize,
    firstFrame: 0,
    maxHeldBytes: 1 << 30,
    ...options,
  })
}

function append(batch: FrameBatch, wal: FakeWAL, to: number, limitBytes = Number.POSITIVE_INFINITY): boolean {
  return batch.append({ ...wal.salts, from: batch.endFrame, to, pageSize: wal.pageSize }, limitBytes)
}

/** First byte of each page of the batch: what it was filled with. */
function fills(batch: FrameBatch): Record<number, number> {
  return Object.fromEntries(batch.pgnos().map((pgno) => [pgno, batch.page(pgno)[0]!]))
}

const TWO_TRANSACTIONS: readonly FakeFrame[] = [
  { pgno: 1, fill: 11 },
  { pgno: 2, fill: 12, commit: 2 },
  { pgno: 3, fill: 13 },
  { pgno: 1, fill: 14, commit: 3 },
]

describe('frames of one generation are read whole or not at all', () => {
  test('the newest copy of each page is kept, with the end of the last transaction', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal)
    expect(append(batch, wal, 4)).toBe(true)
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
    expect(batch).toMatchObject({ endFrame: 4, commit: 3, smallestCommit: 2, checksum: wal.checksums[4] })
  })

  test.each([
    ['first salt of the first frame', 0, SALT1_OFFSET],
    ['second salt of the first frame', 0, SALT2_OFFSET],
    ['first salt of the last frame', 3, SALT1_OFFSET],
    ['second salt of the last frame', 3, SALT2_OFFSET],
  ])('another %s is another generation: nothing is taken', (_what, frame, offset) => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const at = frameOffset(frame, wal.pageSize) + offset
    wal.bytes.writeUInt32BE(wal.bytes.readUInt32BE(at) + 1, at)
    const batch = batchOf(wal)
    expect(append(batch, wal, 4)).toBe(false)
    expect(batch).toMatchObject({ isEmpty: true, endFrame: 0, commit: 0 })
    expect(batch.pgnos()).toEqual([])
  })

  test('what was read before stays when the next frames are of another generation', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal)
    expect(append(batch, wal, 2)).toBe(true)
    wal.bytes.writeUInt32BE(99, frameOffset(3, wal.pageSize) + SALT1_OFFSET)
    expect(append(batch, wal, 4)).toBe(false)
    expect(fills(batch)).toEqual({ 1: 11, 2: 12 })
    expect(batch).toMatchObject({ endFrame: 2, commit: 2, checksum: wal.checksums[2] })
  })

  test('a last frame that ends no transaction cannot be what sqlite called committed', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal)
    expect(append(batch, wal, 3)).toBe(false)
    expect(batch.isEmpty).toBe(true)
  })

  test('a wal that ends before the last frame gives nothing', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal, { wal: new BufferWALSource(wal.bytes.subarray(0, -1)) })
    expect(append(batch, wal, 4)).toBe(false)
    expect(batch.isEmpty).toBe(true)
  })

  test('pages beyond the size that the last transaction left are not in the batch', () => {
    const wal = new FakeWAL([
      { pgno: 9, fill: 19, commit: 9 },
      { pgno: 1, fill: 11, commit: 4 },
    ])
    const batch = batchOf(wal)
    append(batch, wal, 2)
    batch.fill(8, Buffer.alloc(512, 18))
    batch.fill(4, Buffer.alloc(512, 14))
    expect(fills(batch)).toEqual({ 1: 11, 4: 14 })
  })

  test.each(['before', 'after'])('a frame wins over a page that was filled in %s it', (when) => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal)
    if (when === 'before') batch.fill(2, Buffer.alloc(512, 99))
    append(batch, wal, 4)
    if (when === 'after') batch.fill(2, Buffer.alloc(512, 99))
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
  })
})

describe('a batch that is held needs the wal no more, one that is not reads it again', () => {
  test('pages that are held are what they were when the wal is written over', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal)
    append(batch, wal, 4)
    wal.bytes.fill(0)
    expect(batch).toMatchObject({ isHeld: true, readsWALAgain: false })
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
  })

  test('pages that are not held are read again from their newest frames', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal, { maxHeldBytes: 0 })
    append(batch, wal, 4)
    expect(batch).toMatchObject({ isHeld: false, readsWALAgain: true })
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
    for (const pgno of [1, 2, 3]) expect(new Set(batch.page(pgno)).size).toBe(1)
  })

  test('frames beyond what may be held let go of those that were held, and all are read again', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const batch = batchOf(wal, { maxHeldBytes: 3 * 536 })
    append(batch, wal, 2)
    expect(batch.isHeld).toBe(true)
    append(batch, wal, 4)
    expect(batch).toMatchObject({ isHeld: false, readsWALAgain: true })
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
  })

  test('a page that is read again from a wal which was cut is an error, not a page of zeros', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    let bytes: Uint8Array = wal.bytes
    const source = {
      readInto: (at: number, into: Uint8Array) => new BufferWALSource(bytes).readInto(at, into),
    }
    const batch = batchOf(wal, { wal: source, maxHeldBytes: 0 })
    append(batch, wal, 4)
    bytes = wal.bytes.subarray(0, 100)
    expect(() => batch.page(3)).toThrow('wal ends inside frame 2')
  })

  test('pages that are not held but backfilled are read from the database file, whatever the wal holds by then', () => {
    const wal = new FakeWAL(TWO_TRANSACTIONS)
    const database = new BufferWALSource(
      Buffer.concat([Buffer.alloc(512, 14), Buffer.alloc(512, 12), Buffer.alloc(512, 13)]),
    )
    const batch = batchOf(wal, {
      maxHeldBytes: 0,
      backfilled: { readInto: (at, into) => void database.readInto(at, into) },
    })
    append(batch, wal, 4)
    wal.bytes.fill(0)
    expect(batch).toMatchObject({ isHeld: false, readsWALAgain: false })
    expect(fills(batch)).toEqual({ 1: 14, 2: 12, 3: 13 })
  })
})

describe('a limit of bytes ends a batch at a commit', () => {
  const frames = Array.from({ length: 4000 }, (_, index) => ({ pgno: index + 1, fill: index % 251 }))
  const committing = (every: number): FakeFrame[] =>
    frames.map((frame) => (frame.pgno % every === 0 ? { ...frame, commit: 4000 } : frame))

  test('small transactions beyond the limit are left for the next batch, and none is lost', () => {
    const wal = new FakeWAL(committing(10))
    const batch = batchOf(wal)
    expect(append(batch, wal, 4000, 100_000)).toBe(true)
    expect(batch.bytes).toBeGreaterThanOrEqual(100_000)
    expect(batch.endFrame).toBeLessThan(4000)
    expect(batch.endFrame % 10).toBe(0)
    expect(batch.checksum).toEqual(wal.checksums[batch.endFrame])
    expect(append(batch, wal, 4000)).toBe(true)
    expect(batch.pgnos()).toHaveLength(4000)
    expect(frames.every(({ pgno, fill }) => batch.page(pgno)[0] === fill)).toBe(true)
  })

  test('a transaction larger than the limit is not split', () => {
    const wal = new FakeWAL(committing(4000))
    const batch = batchOf(wal)
    expect(append(batch, wal, 4000, 1)).toBe(true)
    expect(batch.endFrame).toBe(4000)
  })
})
