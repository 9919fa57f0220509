import { describe, expect, test } from 'vitest'
import { type Continuity, type Findings, findContinuity } from '../../../src/capture/continuity.ts'
import type { WALHeaderView } from '../../../src/sqlite/wal-file.ts'
import { BufferWALSource } from '../../../src/wal/index.ts'
import { FakeWAL } from '../../helpers/fake-wal.ts'

const BOOT = Buffer.alloc(8, 1)
const OTHER_BOOT = Buffer.alloc(8, 2)

const old = new FakeWAL([
  { pgno: 1, fill: 1, commit: 3 },
  { pgno: 2, fill: 2, commit: 3 },
  { pgno: 3, fill: 3, commit: 3 },
  { pgno: 5, fill: 5 },
  { pgno: 4, fill: 4, commit: 5 },
  { pgno: 2, fill: 6, commit: 2 },
])
/** The same salts, another history. */
const twin = new FakeWAL([
  { pgno: 1, fill: 1, commit: 3 },
  { pgno: 2, fill: 99, commit: 3 },
  { pgno: 3, fill: 3, commit: 3 },
])
const next = new FakeWAL([{ pgno: 1, fill: 21, commit: 3 }], 512, { salt1: 8, salt2: 5555 })
const afterNext = new FakeWAL([{ pgno: 1, fill: 21, commit: 3 }], 512, { salt1: 9, salt2: 5555 })
const longNext = new FakeWAL(
  [1, 2, 3].map((pgno) => ({ pgno, fill: 21, commit: 3 })),
  512,
  next.salts,
)

function headerOf(wal: FakeWAL): WALHeaderView {
  return { ...wal.salts, pageSize: wal.pageSize, bigEndianChecksum: false, checksum: wal.checksums[0]! }
}

/** Capture stopped after the second frame of `old`, and this is what it comes back to. */
function find(changes: Partial<Findings> & { bytes?: Uint8Array; logFrames?: number } = {}): Continuity {
  const { bytes = old.bytes, logFrames = 2, ...findings } = changes
  return findContinuity({
    position: old.positionAfter(2, 3, BOOT),
    isSealed: false,
    header: headerOf(old),
    state: { logFrames, backfilledFrames: 0 },
    wal: new BufferWALSource(bytes),
    pageSize: 512,
    bootID: BOOT,
    ...findings,
  })
}

const position = old.positionAfter(2, 3, BOOT)
const noFrames = old.positionAfter(0, 3, BOOT)
const SNAPSHOT_CASES: readonly (readonly [string, Parameters<typeof find>[0], string])[] = [
  ['no position', { position: undefined }, 'nothing was captured before'],
  ['another page size', { pageSize: 1024 }, 'the page size changed'],
  ['no wal', { header: undefined, logFrames: 0 }, 'the wal is gone'],
  ['the same salts over another history', { bytes: twin.bytes }, 'not the one that was captured'],
  [
    'another first word of the checksum',
    { position: { ...position, checksum: { ...position.checksum, s0: 1 } } },
    'not the one that was captured',
  ],
  [
    'another second word of the checksum',
    { position: { ...position, checksum: { ...position.checksum, s1: 1 } } },
    'not the one that was captured',
  ],
  ['fewer committed frames than were captured', { logFrames: 1 }, 'not the one that was captured'],
  [
    'a wal that ends before the frame',
    { bytes: old.bytes.subarray(0, 580) },
    'not the one that was captured',
  ],
  [
    'another header under a position without frames',
    { position: { ...noFrames, checksum: { s0: 1, s1: 1 } } },
    'not the one that was captured',
  ],
  [
    'a restart after the machine was started again',
    { bytes: old.overwrittenBy(next), header: headerOf(next), logFrames: 1, bootID: OTHER_BOOT },
    'the machine was restarted without a clean stop',
  ],
  [
    'two restarts',
    { bytes: old.overwrittenBy(afterNext), header: headerOf(afterNext), logFrames: 1 },
    'at least one generation of the wal was missed',
  ],
  [
    'a restart of a generation of which nothing was captured',
    { position: noFrames, bytes: old.overwrittenBy(next), header: headerOf(next), logFrames: 1 },
    'restarted before its first frame was captured',
  ],
  [
    'a restart that committed over the frame where capture stopped',
    { bytes: old.overwrittenBy(longNext), header: headerOf(longNext), logFrames: 3 },
    'overwritten where capture had stopped',
  ],
  [
    'a record of a clean stop beside frames of the same generation that do not continue',
    { isSealed: true, bytes: twin.bytes },
    'contradicts the record of the clean stop',
  ],
  [
    'a record of a clean stop beside frames without a header',
    { isSealed: true, header: undefined },
    'contradicts the record of the clean stop',
  ],
  [
    'a backfilled old generation with a broken frame before the position',
    { bytes: damaged(old.bytes, 100), logFrames: 0 },
    'the wal is damaged before where capture had stopped',
  ],
]

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

describe('whatever is no proof ends in a snapshot', () => {
  test.each(SNAPSHOT_CASES)('%s', (_what, changes, reason) => {
    const found = find(changes)
    expect(found.kind).toBe('snapshot')
    expect((found as { reason: string }).reason).toContain(reason)
  })
})

describe('what proves that the wal continues', () => {
  test('the frame where capture stopped carries the recorded checksum', () => {
    expect(find({ logFrames: 6 })).toEqual({ kind: 'continue', frames: 2, checksum: old.checksums[2] })
  })

  test('it does so after a restart of the machine: what is there was synced or is written again', () => {
    expect(find({ bootID: OTHER_BOOT }).kind).toBe('continue')
  })

  test('the header carries the recorded checksum where no frame was captured', () => {
    expect(find({ position: noFrames })).toEqual({ kind: 'continue', frames: 0, checksum: old.checksums[0] })
  })

  test('after a clean stop an empty wal is sealed', () => {
    expect(find({ isSealed: true, header: undefined, logFrames: 0 })).toEqual({ kind: 'sealed' })
  })

  test('after a clean stop another generation is read from its beginning, whichever it is', () => {
    const changes = {
      isSealed: true,
      bytes: afterNext.bytes,
      header: headerOf(afterNext),
      bootID: OTHER_BOOT,
    }
    expect(find({ ...changes, logFrames: 1 })).toEqual({
      kind: 'continue',
      frames: 0,
      checksum: afterNext.checksums[0],
    })
  })

  test('after one restart the tail of the old generation names the pages that are lacking', () => {
    const found = find({ bytes: old.overwrittenBy(next), header: headerOf(next), logFrames: 1 })
    expect(found).toEqual({
      kind: 'restarted',
      tail: { pgnos: new Set([2, 3, 4, 5]), smallestCommit: 2, endFrame: 6, checksum: old.checksums[6] },
    })
  })

  test('the tail ends where its checksums do', () => {
    const bytes = damaged(old.overwrittenBy(next), 32 + 3 * 536 + 100)
    const found = find({ bytes, header: headerOf(next), logFrames: 1 })
    expect(found).toMatchObject({ kind: 'restarted', tail: { pgnos: new Set([3]), endFrame: 3 } })
  })

  test('a generation that is backfilled and not yet followed by another counts as restarted', () => {
    const found = find({ logFrames: 0 })
    expect(found).toMatchObject({ kind: 'restarted', tail: { endFrame: 6, checksum: old.checksums[6] } })
  })
})
