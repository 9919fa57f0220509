import { lockPgno } from '../../ltx/index.ts'
import type { DatabaseFile } from '../sqlite/database-file.ts'
import type { WALConnections, WALState } from '../sqlite/wal-connections.ts'
import {
  type ChecksumWords,
  frameOffset,
  type Salts,
  sameSalts,
  type WALFile,
  type WALHeaderView,
} from '../sqlite/wal-file.ts'
import { WAL_FRAME_HEADER_BYTES } from '../wal/index.ts'
import type { OldTail } from './continuity.ts'
import { FrameBatch } from './frame-batch.ts'

/** A place in a WAL: `frames` frames of one generation are read, and the database has `commit` pages there. */
export interface WALPlace extends Salts {
  readonly frames: number
  readonly checksum: ChecksumWords
  readonly commit: number
}

/** What one look at the WAL gave. `later`: SQLite could not say, or the WAL moved under our eyes; ask again. */
export type Collected = 'nothing' | 'collected' | 'later'

/** The WAL is not the one that we were reading although the pin held it. The next file has to be a snapshot. */
export class ContinuityLost extends Error {
  override readonly name = 'ContinuityLost'
}

// A WAL that is restarted while we look reads differently at the next look; one that is lost does not.
const LOOKS = 5
const MAX_HELD_BYTES = 16 << 20
const MAX_BATCH_BYTES = 64 << 20

/**
 * Reads what is committed, once, in order.
 *
 * States: **pinned**, the normal one: the read mark keeps every frame that is not read yet. **Sealed**: the pin sits
 * on slot 0 with everything read and backfilled; whatever generation comes next follows directly, and cannot be
 * backfilled before it is read. A generation that changes in any other state is lost continuity.
 *
 * What is committed is asked of SQLite, never guessed from the file: a commit frame may be one that its writer was
 * killed over and that the next writer overwrites.
 */
export class WALCursor {
  readonly connections: WALConnections
  readonly database: DatabaseFile
  readonly wal: WALFile
  readonly pageSize: number
  #place: WALPlace
  #isSealed = false
  #mayHoldSlot0 = false
  #isCaughtUp = false
  #batch: FrameBatch

  constructor(connections: WALConnections, database: DatabaseFile, wal: WALFile, place: WALPlace) {
    this.connections = connections
    this.database = database
    this.wal = wal
    this.pageSize = connections.pageSize
    this.#place = place
    this.#batch = this.#newBatch()
  }

  /** Up to where the WAL is read. */
  get place(): WALPlace {
    return this.#place
  }

  get isSealed(): boolean {
    return this.#isSealed
  }

  /** What is read and not taken yet. */
  get batch(): FrameBatch {
    return this.#batch
  }

  /** Forgets the batch: the caller has it in a file. */
  take(): void {
    this.#batch = this.#newBatch()
  }

  /** Goes to a place that was proved by other means, with nothing read beyond it. */
  moveTo(place: WALPlace, isSealed: boolean): void {
    this.#place = place
    this.#isSealed = isSealed
    this.#mayHoldSlot0 ||= isSealed
    this.#batch = this.#newBatch()
  }

  /** True when the last look read everything that was committed then. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp
  }

  /** Asks whether the pin, taken under the barrier, sits on slot 0 with everything read and backfilled. */
  refreshSeal(): void {
    const state = this.connections.walState()
    this.#mayHoldSlot0 = state === undefined || state.logFrames === state.backfilledFrames
    this.#isSealed = state !== undefined && this.#mayHoldSlot0 && state.logFrames === this.#place.frames
  }

  /**
   * Moves the pin to what is committed now. Only when everything up to the old pin is read, and in memory or in a file:
   * the new one may sit on slot 0, which protects the database file but not the WAL.
   *
   * A WAL that was restarted since proves that it does, with everything read: the old pin kept what lies beyond it out
   * of the database file, and a pin elsewhere would have kept the WAL.
   */
  movePin(): void {
    this.connections.movePin()
    this.refreshSeal()
    if (this.#isSealed || !this.#mayHaveRestarted()) return
    this.#isSealed = true
    this.#mayHoldSlot0 = true
  }

  /** Throws {@link ContinuityLost} when pages of the batch were read again from a WAL that was restarted meanwhile. */
  requireIntact(): void {
    if (!this.#batch.readsWALAgain) return
    const header = this.wal.readHeader()
    // A restart writes the header before any frame.
    if (header === undefined || !this.#isCurrent(header)) {
      throw new ContinuityLost('the wal was restarted while it was read')
    }
  }

  /**
   * Reads what is committed beyond the place into the batch, 64 MiB or one transaction at most. Throws
   * {@link ContinuityLost}.
   */
  collect(): Collected {
    for (let look = 0; look < LOOKS; look++) {
      const header = this.wal.readHeader()
      const state = this.connections.walState()
      if (state === undefined) return 'later'
      const collected = this.#look(header, state)
      if (collected !== 'later') return collected
    }
    return this.#giveUp()
  }

  /**
   * Makes all of the WAL beyond the place one batch, whatever its size. Under the barrier, right after the first pin:
   * where all of the WAL is backfilled, that pin sits on slot 0 and keeps the database file as it is, but not the WAL.
   */
  collectAll(header: WALHeaderView, state: WALState): void {
    const previousCommit = this.#place.commit
    if (state.logFrames === state.backfilledFrames) this.#batch = this.#newBatch(this.database)
    if (!this.#read(header, state.logFrames, Number.POSITIVE_INFINITY)) {
      throw new ContinuityLost('the wal changed under the write lock')
    }
    this.#fillGrowth(Math.min(previousCommit, this.#batch.smallestCommit))
    this.refreshSeal()
  }

  /**
   * Makes the pages of an old generation's tail, taken from the database file, and all of the WAL that is there one
   * batch. Under the barrier, right after the first pin.
   */
  collectRestarted(tail: OldTail, header: WALHeaderView, state: WALState, pageCount: number): void {
    const previous = this.#place
    const smallestCommit = Math.min(previous.commit, tail.smallestCommit)
    if (state.logFrames > 0) {
      this.moveTo({ ...header, frames: 0, checksum: header.checksum, commit: smallestCommit }, false)
      this.collectAll(header, state)
    } else {
      this.#batch.endAt(tail.endFrame, tail.checksum, pageCount)
      this.#place = { ...previous, frames: tail.endFrame, checksum: tail.checksum, commit: pageCount }
      this.#isSealed = true
      // All of it is backfilled, and what is left of the old frames may be written over: the file alone is the truth.
      this.#fillFromFile(pagesBetween(smallestCommit, pageCount, this.pageSize))
    }
    this.#fillFromFile(tail.pgnos)
  }

  #mayHaveRestarted(): boolean {
    const header = this.wal.readHeader()
    const state = this.connections.walState()
    if (header === undefined || state === undefined) return false
    return !this.#isCurrent(header) || state.logFrames < this.#place.frames
  }

  #isCurrent(header: WALHeaderView): boolean {
    return sameSalts(header, this.#place)
  }

  #look(header: WALHeaderView | undefined, state: WALState): Collected {
    const { frames } = this.#place
    if (header === undefined)
      return state.logFrames === 0 && (this.#isSealed || frames === 0) ? 'nothing' : 'later'
    if (this.#isCurrent(header)) return this.#lookOn(header, state.logFrames)
    if (!this.#isSealed) return 'later'
    if (state.logFrames === 0) return 'nothing'
    return this.#enterGeneration(header, state.logFrames)
  }

  #lookOn(header: WALHeaderView, logFrames: number): Collected {
    const { frames } = this.#place
    this.#isCaughtUp = logFrames === frames
    if (this.#isCaughtUp) return 'nothing'
    if (logFrames < frames) return logFrames === 0 && this.#isSealed ? 'nothing' : 'later'
    return this.#readOn(header, logFrames) ? 'collected' : 'later'
  }

  #enterGeneration(header: WALHeaderView, logFrames: number): Collected {
    // One file covers one generation: what is left of the old one has to be written first.
    if (!this.#batch.isEmpty) return 'later'
    const previous = this.#place
    this.#place = { ...header, frames: 0, checksum: header.checksum, commit: previous.commit }
    this.#batch = this.#newBatch()
    if (!this.#readOn(header, logFrames)) {
      this.#place = previous
      this.#batch = this.#newBatch()
      return 'later'
    }
    return 'collected'
  }

  #readOn(salts: Salts, logFrames: number): boolean {
    const previousCommit = this.#place.commit
    if (!this.#read(salts, logFrames, MAX_BATCH_BYTES - this.#batch.bytes)) return false
    this.#fillGrowth(Math.min(previousCommit, this.#batch.smallestCommit))
    this.#isSealed = false
    this.#isCaughtUp = this.#place.frames === logFrames
    // With slot 0 held each checkpoint of the application walks the whole WAL in vain.
    if (this.#mayHoldSlot0 && this.#isCaughtUp) this.movePin()
    return true
  }

  #read(salts: Salts, logFrames: number, limitBytes: number): boolean {
    const { frames } = this.#place
    const range = {
      salt1: salts.salt1,
      salt2: salts.salt2,
      from: frames,
      to: logFrames,
      pageSize: this.pageSize,
    }
    if (!this.#batch.append(range, limitBytes)) return false
    this.#place = {
      salt1: salts.salt1,
      salt2: salts.salt2,
      frames: this.#batch.endFrame,
      checksum: this.#batch.checksum,
      commit: this.#batch.commit,
    }
    return true
  }

  /**
   * A database that grew has pages which no frame holds: SQLite does not write a page that is free from the start.
   * A restore needs them all the same, as SQLite would read them: from the WAL's older frames, or else the file.
   */
  #fillGrowth(smallestCommit: number): void {
    const missing = new Set<number>()
    for (const pgno of pagesBetween(smallestCommit, this.#batch.commit, this.pageSize)) {
      if (!this.#batch.has(pgno)) missing.add(pgno)
    }
    if (missing.size === 0) return
    for (const [pgno, frame] of this.#olderFrames(missing)) {
      const page = Buffer.allocUnsafe(this.pageSize)
      this.wal.readInto(frameOffset(frame, this.pageSize) + WAL_FRAME_HEADER_BYTES, page)
      this.#batch.fill(pgno, page)
      missing.delete(pgno)
    }
    for (const pgno of missing) this.#fill(pgno)
  }

  #fillFromFile(pgnos: Iterable<number>): void {
    for (const pgno of pgnos) {
      if (pgno <= this.#batch.commit && !this.#batch.has(pgno)) this.#fill(pgno)
    }
  }

  #fill(pgno: number): void {
    const page = Buffer.allocUnsafe(this.pageSize)
    this.database.readInto((pgno - 1) * this.pageSize, page)
    this.#batch.fill(pgno, page)
  }

  /** Newest frame before the batch for each of `pgnos` that has one. */
  #olderFrames(pgnos: ReadonlySet<number>): Map<number, number> {
    const newest = new Map<number, number>()
    const pgno = Buffer.alloc(4)
    for (let frame = 0; frame < this.#batch.firstFrame; frame++) {
      this.wal.readInto(frameOffset(frame, this.pageSize), pgno)
      const number = pgno.readUInt32BE(0)
      if (pgnos.has(number)) newest.set(number, frame)
    }
    return newest
  }

  #giveUp(): Collected {
    const header = this.wal.readHeader()
    const state = this.connections.walState()
    if (state === undefined || !this.#batch.isEmpty) return 'later'
    if (header === undefined) throw new ContinuityLost('the wal file is gone')
    if (this.#isCurrent(header))
      throw new ContinuityLost('the wal is shorter than what was read, or was written over')
    throw new ContinuityLost('the wal was restarted although it was held')
  }

  #newBatch(backfilled?: DatabaseFile): FrameBatch {
    const { wal, pageSize } = this
    const options = { wal, pageSize, firstFrame: this.#place.frames, maxHeldBytes: MAX_HELD_BYTES }
    return new FrameBatch(backfilled === undefined ? options : { ...options, backfilled })
  }
}

/** Pages after `fromCommit` up to `toCommit`, without the lock page. */
function* pagesBetween(fromCommit: number, toCommit: number, pageSize: number): Generator<number> {
  const lock = lockPgno(pageSize)
  for (let pgno = fromCommit + 1; pgno <= toCommit; pgno++) if (pgno !== lock) yield pgno
}
