import { formatTXID, lockPgno, type TXID } from '../../ltx/index.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { AttachedDatabase } from '../sqlite/attached-database.ts'
import { readBootID } from '../state/boot-id.ts'
import { sameSalts } from '../sqlite/wal-file.ts'
import { readDatabaseInode, writeDatabaseInode } from '../state/database-identity.ts'
import type { Level0File, Level0Folder } from '../state/level0-folder.ts'
import { provesUnchanged, readSealRecord } from '../state/seal-record.ts'
import { checkpoint, shrinkWAL, spinForBarrier } from './checkpoint.ts'
import { BARRIER_FIRST_RETRY_MS, takeBarrier } from './barrier.ts'
import { continueFrom, pinnedState } from './continue.ts'
import { type Position, positionHeader } from './position.ts'
import { outlastFileTimes, recordSeal } from './seal.ts'
import { writeSnapshot } from './snapshot.ts'
import { ContinuityLost, type WALCursor } from './wal-cursor.ts'

/** What capture needs to know of one database; all of it fixed for the time that it is open. */
export interface CaptureOptions {
  readonly path: string
  readonly stateFolder: string
  readonly level0: Level0Folder
  readonly clock: Clock
  readonly logger: Logger
  /** Pages in the WAL from which on we checkpoint; below the application's own threshold, so that it never has to. */
  readonly checkpointPages: number
  /** How long to wait for a database that somebody has locked, in ms. */
  readonly busyTimeoutMs: number
  /** Called with each file as soon as it is durable, whatever goes wrong afterwards. Must not throw. */
  readonly onFile: (file: Level0File) => void
}

/** The chain of files that the next one has to continue. */
export interface Chain {
  /** Highest TXID that any file has, here or in the replica; 0 when there is none. */
  readonly highestTXID: TXID
  /** End of the newest file, when that file tells where in the WAL it ended. */
  readonly position: Position | undefined
  /** Page size of the newest file; a database of another one starts a chain that needs nothing of the old. */
  readonly pageSize?: number
  /** First TXID of a snapshot that has to be taken, where it is not just the next one. */
  readonly snapshotMinTXID?: TXID
  /** Why a snapshot has to be taken whatever the WAL says. */
  readonly snapshotReason?: string
}

/**
 * What one {@link Capture.look} found. `later`: the WAL moved under our eyes, or a lock was held; look again soon.
 * `snapshot`: the WAL proves nothing any more, {@link Capture.snapshot} is due.
 */
export type Look = 'nothing' | 'captured' | 'later' | 'snapshot'

const NO_SALTS = { salt1: 0, salt2: 0 }
const BARRIER_SPIN_MS = 20
const BUSY_CHECKPOINT_RETRY_MS = 5
const PINNED_CHECKPOINT_RETRY_MS = 1000
const SHRINK_AT_THRESHOLDS = 4
const SEAL_TRIES = 20
const SEAL_RETRY_MS = 10

/**
 * Turns what an application commits to one database into a chain of level-0 files in the state folder.
 *
 * States: **following** (the pin holds, {@link look} reads what is new), **waiting for a snapshot** (continuity is not
 * proved; {@link look} says so until {@link snapshot} has run), **closed**. {@link open} decides between the first two.
 * A file is durable before it is returned, and its position with it: what is not in a file is read again after a
 * crash.
 *
 * {@link look} is synchronous and short; only {@link snapshot} and {@link seal} wait.
 */
export class Capture {
  readonly #options: CaptureOptions
  readonly #attached: AttachedDatabase
  readonly #cursor: WALCursor
  readonly #bootID: Uint8Array
  #highestTXID: TXID
  #snapshotMinTXID: TXID | undefined
  #snapshotReason: string | undefined
  #nextCheckpointMs = 0
  #pinnedAtFrames = -1

  private constructor(
    options: CaptureOptions,
    attached: AttachedDatabase,
    cursor: WALCursor,
    bootID: Uint8Array,
    chain: Chain,
    snapshotReason: string | undefined,
  ) {
    this.#options = options
    this.#attached = attached
    this.#cursor = cursor
    this.#bootID = bootID
    this.#highestTXID = chain.highestTXID
    this.#snapshotMinTXID = chain.snapshotMinTXID
    this.#snapshotReason = chain.snapshotReason ?? snapshotReason
    this.#checkDatabase()
    if (chain.pageSize === undefined || chain.pageSize === attached.pageSize) return
    // A restore cannot lay pages of one size over pages of another: it has to find a file that begins at the beginning.
    this.#snapshotMinTXID = 1n
    this.#snapshotReason = 'the page size changed'
  }

  /**
   * Opens the database and finds out whether the WAL continues the chain. Waits for a writer that holds the database
   * right now. Rejects with {@link DatabaseError}, or with the signal's reason.
   */
  static async open(options: CaptureOptions, chain: Chain, signal?: AbortSignal): Promise<Capture> {
    const attached = AttachedDatabase.open(options.path, options.busyTimeoutMs)
    try {
      const { switchedFrom } = attached.connections
      if (switchedFrom !== undefined) {
        options.logger.info({ from: switchedFrom }, 'switched the database to WAL')
      }
      return await Capture.#resume(options, attached, chain, signal)
    } catch (error) {
      attached.close()
      throw error
    }
  }

  static async #resume(
    options: CaptureOptions,
    attached: AttachedDatabase,
    chain: Chain,
    signal?: AbortSignal,
  ): Promise<Capture> {
    const { connections } = attached
    const bootID = readBootID()
    const { position } = chain
    const isSealed = (): boolean => {
      const record = readSealRecord(options.stateFolder)
      return (
        position !== undefined &&
        record !== undefined &&
        provesUnchanged(record, position.txid, attached.file.fingerprint())
      )
    }
    for (;;) {
      await takeBarrier(attached.connections, options, signal)
      try {
        const continued = continueFrom(attached, { position, isSealed, bootID })
        if (continued !== undefined) {
          return new Capture(options, attached, continued.cursor, bootID, chain, continued.snapshotReason)
        }
      } finally {
        connections.releaseBarrier()
      }
      await options.clock.sleep(BARRIER_FIRST_RETRY_MS, signal)
    }
  }

  /** Path of the database, symbolic links resolved. */
  get path(): string {
    return this.#attached.path
  }

  /** TXID of the last file that is captured; 0 when there is none. */
  get txid(): TXID {
    return this.#highestTXID
  }

  /** Why a snapshot is due; undefined while the WAL continues the chain. */
  get snapshotReason(): string | undefined {
    return this.#snapshotReason
  }

  /** Size of the WAL file in bytes. */
  get walBytes(): number {
    return this.#attached.wal.sizeBytes()
  }

  /** True when the database or its WAL was replaced by other files: this capture sees nothing any more. */
  wasReplaced(): boolean {
    return this.#attached.wasReplaced()
  }

  /**
   * Reads what is committed since the last look, writes it to a file, and checkpoints when enough has gathered.
   * Synchronous: some system calls for a small commit. Errors of the file system are thrown; nothing is lost by
   * them, the next look tries again.
   */
  look(): Look {
    return this.#whileContinuous(() => this.#read())
  }

  /**
   * Writes the whole database as the next file. False when a writer was in the way: try again soon. Writers are held
   * up only while the state is pinned, not while it is read.
   */
  async snapshot(signal?: AbortSignal): Promise<boolean> {
    const base = this.#pinBase()
    if (base === undefined) return false
    const { place } = base
    const startMs = performance.now()
    const txid = this.#highestTXID + 1n
    const draft = this.#options.level0.begin(
      positionHeader({
        position: { ...place, ...this.#positionAt(txid) },
        minTXID: this.#snapshotMinTXID ?? txid,
        firstFrame: 0,
        timestampMs: this.#options.clock.now(),
      }),
    )
    try {
      const { file: database, wal, pageSize } = this.#attached
      await writeSnapshot({ ...base, database, wal, pageSize }, draft, signal)
      if (!base.isBackfilled && !sameSalts(wal.readHeader() ?? NO_SALTS, place)) {
        throw new ContinuityLost('the wal was restarted while the snapshot read it')
      }
    } catch (error) {
      draft.discard()
      throw error
    }
    const file = draft.publish()
    this.#cursor.moveTo(place, base.isBackfilled)
    this.#highestTXID = txid
    this.#snapshotReason = undefined
    this.#snapshotMinTXID = undefined
    writeDatabaseInode(this.#options.stateFolder, this.#attached.file.fingerprint().ino)
    if (base.isBackfilled) this.#recordSeal()
    const durationMs = Math.round(performance.now() - startMs)
    this.#options.logger.info({ txid: formatTXID(txid), durationMs }, 'snapshot captured')
    this.#options.onFile(file)
    return true
  }

  /**
   * Ends cleanly: captures the rest, gets all of it into the database file and leaves the record that proves it, so
   * that the next start has to read only what came after. Gives up on the record when the application does not let
   * go; then the next start decides from the WAL. Does not close.
   */
  async seal(signal?: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < SEAL_TRIES; attempt++) {
      const look = this.look()
      if (look === 'snapshot') return
      if (look === 'nothing' && (await this.#trySeal())) return
      await this.#options.clock.sleep(SEAL_RETRY_MS, signal)
    }
  }

  /** Closes the connections. SQLite removes the WAL when nobody else has the database open. */
  close(): void {
    this.#attached.close()
  }

  /** A WAL that continues proves nothing about a database file that was put beside it meanwhile. */
  #checkDatabase(): void {
    const { stateFolder } = this.#options
    const { ino } = this.#attached.file.fingerprint()
    const described = readDatabaseInode(stateFolder)
    if (described !== undefined && described !== ino) {
      this.#snapshotReason ??= 'the database file was replaced by another'
    } else if (this.#snapshotReason === undefined) {
      writeDatabaseInode(stateFolder, ino)
    }
  }

  #whileContinuous(work: () => Look): Look {
    if (this.#snapshotReason !== undefined) return 'snapshot'
    try {
      return work()
    } catch (error) {
      if (!(error instanceof ContinuityLost)) throw error
      this.#snapshotReason = error.message
      return 'snapshot'
    }
  }

  #read(): Look {
    const before = this.#highestTXID
    this.#flush()
    const collected = this.#cursor.collect()
    this.#flush()
    // The pin may move only when everything before it is read and written.
    if (this.#cursor.isCaughtUp) this.#checkpointIfDue()
    if (this.#highestTXID !== before) return 'captured'
    // Only when it is quiet: a busy application would only have to grow the file again. It leaves a frame to capture.
    const maxFrames = SHRINK_AT_THRESHOLDS * this.#options.checkpointPages
    if (collected === 'nothing' && shrinkWAL(this.#cursor, maxFrames)) return 'later'
    return collected === 'later' ? 'later' : 'nothing'
  }

  /** Writes the batch, if there is one, as the next file. It stays the cursor's until the file is durable. */
  #flush(): void {
    const { batch, place } = this.#cursor
    if (batch.isEmpty) return
    const txid = this.#highestTXID + 1n
    const draft = this.#options.level0.begin(
      positionHeader({
        position: { ...place, ...this.#positionAt(txid) },
        minTXID: txid,
        firstFrame: batch.firstFrame,
        timestampMs: this.#options.clock.now(),
      }),
    )
    try {
      const lock = lockPgno(this.#attached.pageSize)
      for (const pgno of batch.pgnos()) if (pgno !== lock) draft.writePage(pgno, batch.page(pgno))
      this.#cursor.requireIntact()
    } catch (error) {
      draft.discard()
      throw error
    }
    const file = draft.publish()
    this.#cursor.take()
    this.#highestTXID = txid
    this.#options.onFile(file)
  }

  #checkpointIfDue(): void {
    const { clock, checkpointPages, logger } = this.#options
    const nowMs = clock.monotonicMs()
    const { frames } = this.#cursor.place
    if (this.#cursor.isSealed || frames < checkpointPages || nowMs < this.#nextCheckpointMs) return
    // A reader that pins the WAL may do so for hours: without new frames another try gains nothing that matters.
    if (frames === this.#pinnedAtFrames) return
    const startMs = performance.now()
    const outcome = checkpoint(this.#cursor)
    this.#flush()
    logger.debug({ outcome, durationMs: performance.now() - startMs }, 'checkpointed')
    this.#pinnedAtFrames = outcome === 'pinned' ? this.#cursor.place.frames : -1
    this.#nextCheckpointMs =
      nowMs + (outcome === 'pinned' ? PINNED_CHECKPOINT_RETRY_MS : BUSY_CHECKPOINT_RETRY_MS)
  }

  #positionAt(txid: TXID): Pick<Position, 'txid' | 'pageSize' | 'bootID'> {
    return { txid, pageSize: this.#attached.pageSize, bootID: this.#bootID }
  }

  #pinBase(): ReturnType<typeof pinnedState> {
    const { connections } = this.#attached
    // Most of the WAL into the file first: what is copied there need not be looked up in the WAL.
    connections.movePin()
    connections.checkpointPassive()
    if (!spinForBarrier(connections, BARRIER_SPIN_MS)) return undefined
    try {
      return pinnedState(this.#attached)
    } finally {
      connections.releaseBarrier()
    }
  }

  #recordSeal(): boolean {
    return recordSeal(this.#options.stateFolder, this.#highestTXID, this.#cursor)
  }

  async #trySeal(): Promise<boolean> {
    this.#whileContinuous(() => {
      if (!this.#cursor.isSealed) checkpoint(this.#cursor)
      this.#flush()
      return 'nothing'
    })
    if (!this.#cursor.isSealed) return false
    this.#attached.file.sync()
    await outlastFileTimes(this.#attached.file, this.#options.clock)
    return this.look() === 'nothing' && this.#recordSeal()
  }
}
