import { rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ContinuityLost, WALCursor } from '../../../src/capture/wal-cursor.ts'
import { DatabaseFile } from '../../../src/sqlite/database-file.ts'
import { WALFile } from '../../../src/sqlite/wal-file.ts'
import { type FakeFrame, FakeWAL } from '../../helpers/fake-wal.ts'
import { FakeWALConnections } from '../../helpers/fake-wal-connections.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const BOOT = Buffer.alloc(8)

/** A cursor after `read` frames, over real files that say what a test wants them to say. */
class Ground {
  readonly folder = new TemporaryFolder()
  readonly path: string = this.folder.join('app.db')
  readonly connections: FakeWALConnections
  readonly cursor: WALCursor
  readonly #database: DatabaseFile
  readonly #wal: WALFile

  constructor(
    wal: FakeWAL,
    place: { read: number; commit: number; backfilled?: number },
    databaseFills: number[] = [],
  ) {
    const pages = databaseFills.map((fill) => Buffer.alloc(wal.pageSize, fill))
    writeFileSync(this.path, Buffer.concat(pages))
    this.writeWAL(wal)
    this.#database = new DatabaseFile(this.path)
    this.#wal = new WALFile(this.path)
    const frames = wal.checksums.length - 1
    this.connections = new FakeWALConnections(wal.pageSize, frames, place.backfilled ?? 0)
    const {
      txid: _txid,
      bootID: _bootID,
      pageSize: _pageSize,
      ...at
    } = wal.positionAfter(place.read, place.commit, BOOT)
    this.cursor = new WALCursor(this.connections.asConnections, this.#database, this.#wal, at)
  }

  /** Over the file that is there, as SQLite does. */
  writeWAL(wal: FakeWAL): void {
    writeFileSync(`${this.path}-wal`, wal.bytes, { flag: 'a' })
    writeFileSync(`${this.path}-wal`, wal.bytes, { flag: 'r+' })
  }

  /** SQLite restarts the WAL with `wal`, of which `logFrames` are committed. */
  restart(wal: FakeWAL, logFrames: number): void {
    this.writeWAL(wal)
    this.connections.state = { logFrames, backfilledFrames: 0 }
  }

  /** First byte of each page of the batch. */
  fills(): Record<number, number> {
    const { batch } = this.cursor
    return Object.fromEntries(batch.pgnos().map((pgno) => [pgno, batch.page(pgno)[0]!]))
  }

  [Symbol.dispose](): void {
    this.#wal.close()
    this.#database.close()
    this.folder[Symbol.dispose]()
  }
}

const NEXT_SALTS = { salt1: 8, salt2: 5555 }

const FRAMES_BEFORE: readonly FakeFrame[] = [
  { pgno: 4, fill: 40 },
  { pgno: 6, fill: 60 },
  { pgno: 4, fill: 44, commit: 6 },
  { pgno: 1, fill: 10, commit: 2 },
]

describe('a database that grew over pages which no frame of the batch holds', () => {
  // 3 and 5 are nowhere but in the file, 4 has two older frames, 6 one of its own.
  const grown = new FakeWAL([...FRAMES_BEFORE, { pgno: 1, fill: 11 }, { pgno: 6, fill: 66, commit: 6 }])
  const file = [91, 92, 93, 94, 95, 96]
  const expected = { 1: 11, 3: 93, 4: 44, 5: 95, 6: 66 }

  test('gets them from the newest older frame in the wal, or else from the file', () => {
    using ground = new Ground(grown, { read: 4, commit: 2 }, file)
    expect(ground.cursor.collect()).toBe('collected')
    expect(ground.fills()).toEqual(expected)
  })

  test('gets them when all is read under the barrier, too', () => {
    using ground = new Ground(grown, { read: 4, commit: 2 }, file)
    ground.cursor.collectAll(
      { ...grown.salts, ...VIEW, checksum: grown.checksums[0]! },
      ground.connections.state!,
    )
    expect(ground.fills()).toEqual(expected)
  })

  test('gets them when it shrank and grew within the batch', () => {
    using ground = new Ground(grown, { read: 3, commit: 6 }, file)
    ground.cursor.collect()
    expect(ground.fills()).toEqual(expected)
  })

  test('gets zeros where the file ends before them, as sqlite reads it', () => {
    using ground = new Ground(grown, { read: 4, commit: 2 }, file.slice(0, 4))
    ground.cursor.collect()
    expect(ground.fills()).toEqual({ ...expected, 5: 0 })
  })

  test('needs none that lie below its old size', () => {
    using ground = new Ground(grown, { read: 4, commit: 5 }, file)
    ground.cursor.collect()
    expect(ground.fills()).toEqual({ 1: 11, 6: 66 })
  })

  test('gets them in a generation that follows a sealed one', () => {
    const next = new FakeWAL([{ pgno: 1, fill: 11, commit: 4 }], 512, NEXT_SALTS)
    using ground = new Ground(new FakeWAL(FRAMES_BEFORE), { read: 4, commit: 2, backfilled: 4 }, file)
    ground.cursor.refreshSeal()
    ground.restart(next, 1)
    expect(ground.cursor.collect()).toBe('collected')
    expect(ground.fills()).toEqual({ 1: 11, 3: 93, 4: 94 })
  })
})

const VIEW = { pageSize: 512, bigEndianChecksum: false }

describe('the tail of an old generation and all of the next', () => {
  const tail = { pgnos: new Set([2, 3, 7]), smallestCommit: 2, endFrame: 6, checksum: { s0: 5, s1: 6 } }
  const file = [91, 92, 93, 44]

  test('are one batch, the tail from the file and the newer frames over it', () => {
    const next = new FakeWAL([{ pgno: 2, fill: 22, commit: 4 }], 512, NEXT_SALTS)
    using ground = new Ground(new FakeWAL(FRAMES_BEFORE), { read: 4, commit: 4 }, file)
    ground.restart(next, 1)
    const header = { ...next.salts, ...VIEW, checksum: next.checksums[0]! }
    ground.cursor.collectRestarted(tail, header, ground.connections.state!, 4)
    expect(ground.fills()).toEqual({ 2: 22, 3: 93, 4: 44 })
    expect(ground.cursor.place).toMatchObject({
      ...next.salts,
      frames: 1,
      commit: 4,
      checksum: next.checksums[1],
    })
  })

  test('are the tail alone where nothing followed it', () => {
    const wal = new FakeWAL(FRAMES_BEFORE)
    using ground = new Ground(wal, { read: 4, commit: 4 }, file)
    ground.connections.state = { logFrames: 0, backfilledFrames: 0 }
    const header = { ...wal.salts, ...VIEW, checksum: wal.checksums[0]! }
    ground.cursor.collectRestarted(tail, header, ground.connections.state, 4)
    expect(ground.fills()).toEqual({ 2: 92, 3: 93, 4: 44 })
    expect(ground.cursor.place).toMatchObject({ ...wal.salts, frames: 6, commit: 4, checksum: tail.checksum })
    expect(ground.cursor.isSealed).toBe(true)
  })
})

describe('a generation that changes', () => {
  const first = new FakeWAL(FRAMES_BEFORE)
  const next = new FakeWAL([{ pgno: 1, fill: 21, commit: 2 }], 512, NEXT_SALTS)

  test('is lost continuity while the pin should have held the wal', () => {
    using ground = new Ground(first, { read: 4, commit: 2 })
    ground.restart(next, 1)
    expect(() => ground.cursor.collect()).toThrow(ContinuityLost)
    expect(() => ground.cursor.collect()).toThrow('restarted although it was held')
  })

  test('follows directly after a seal, and the pin leaves slot 0', () => {
    using ground = new Ground(first, { read: 4, commit: 2, backfilled: 4 })
    ground.cursor.refreshSeal()
    expect(ground.cursor.isSealed).toBe(true)
    ground.restart(next, 1)
    expect(ground.cursor.collect()).toBe('collected')
    expect(ground.fills()).toEqual({ 1: 21 })
    expect(ground.cursor.place).toMatchObject({ ...next.salts, frames: 1, checksum: next.checksums[1] })
    expect(ground.cursor.isSealed).toBe(false)
    expect(ground.connections.movedPins).toBe(1)
  })

  test('is not entered while frames of the old one are still to be written to a file', () => {
    using ground = new Ground(first, { read: 3, commit: 6, backfilled: 4 })
    ground.cursor.collect()
    ground.cursor.refreshSeal()
    ground.restart(next, 1)
    expect(ground.cursor.collect()).toBe('later')
    ground.cursor.take()
    expect(ground.cursor.collect()).toBe('collected')
    expect(ground.fills()).toEqual({ 1: 21 })
  })

  test('is no seal while frames are unread, or not backfilled', () => {
    using unread = new Ground(first, { read: 3, commit: 6, backfilled: 4 })
    unread.cursor.refreshSeal()
    expect(unread.cursor.isSealed).toBe(false)
    using lacking = new Ground(first, { read: 4, commit: 2, backfilled: 3 })
    lacking.cursor.refreshSeal()
    expect(lacking.cursor.isSealed).toBe(false)
  })

  test('between two looks is proved by the hand-over of the pin to have come after everything that was read', () => {
    using ground = new Ground(first, { read: 4, commit: 2 })
    ground.restart(next, 1)
    ground.cursor.movePin()
    expect(ground.cursor.isSealed).toBe(true)
    expect(ground.cursor.collect()).toBe('collected')
  })

  test('is asked for again while sqlite cannot say what is committed', () => {
    using ground = new Ground(first, { read: 3, commit: 6 })
    ground.connections.state = undefined
    expect(ground.cursor.collect()).toBe('later')
  })

  test('cannot be hidden by a wal that is gone, or shorter than what was read', () => {
    using gone = new Ground(first, { read: 4, commit: 2 })
    rmSync(`${gone.path}-wal`)
    expect(() => gone.cursor.collect()).toThrow('the wal file is gone')
    using shorter = new Ground(first, { read: 4, commit: 2 })
    shorter.connections.state = { logFrames: 3, backfilledFrames: 0 }
    expect(() => shorter.cursor.collect()).toThrow('shorter than what was read')
  })
})

describe('pages that are read from the wal once more', () => {
  const pageSize = 65536
  const many = Array.from({ length: 257 }, (_, index) => ({ pgno: index + 1, fill: index % 251 }))
  const large = new FakeWAL([...many, { pgno: 258, fill: 1, commit: 258 }], pageSize)
  const restarted = new FakeWAL([], pageSize, NEXT_SALTS)

  test('are refused when the wal was restarted meanwhile', () => {
    using ground = new Ground(large, { read: 0, commit: 258 })
    expect(ground.cursor.collect()).toBe('collected')
    expect(ground.cursor.batch.readsWALAgain).toBe(true)
    ground.cursor.requireIntact()
    ground.writeWAL(restarted)
    expect(() => ground.cursor.requireIntact()).toThrow(ContinuityLost)
  })

  test('are fine to be restarted over when they are in memory', () => {
    using ground = new Ground(new FakeWAL(FRAMES_BEFORE), { read: 0, commit: 6 })
    ground.cursor.collect()
    ground.writeWAL(new FakeWAL([], 512, NEXT_SALTS))
    expect(() => ground.cursor.requireIntact()).not.toThrow()
  })
})
