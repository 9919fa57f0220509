import { existsSync } from 'node:fs'
import { formatTXID, type PagePayload, type TXID } from '../../ltx/index.ts'
import { ObjectStoreError, type ReplicaClient, ReplicaError } from '../../replica/index.ts'
import type { Look } from '../capture/capture.ts'
import { type Clock, systemClock } from '../clock.ts'
import { type Logger, silentLogger } from '../logger.ts'
import { readLocalPosition, removeLocalState, stateFolderOf } from '../state/state-folder.ts'
import { acquireLock } from './acquire-lock.ts'
import { DatabaseError, isDiskFull, isHopeless, notFoundError, replacedError } from '../database-error.ts'
import { Bell } from './bell.ts'
import { Pace } from './pace.ts'
import { RepeatedErrors } from '../repeated-errors.ts'
import { Session, type SessionOptions } from './session.ts'
import { StopDeadline } from './stop-deadline.ts'
import { WALWatch } from './wal-watch.ts'

/** One database and where it goes. Times in ms. */
export interface ReplicatedDatabaseOptions {
  readonly path: string
  readonly replica: ReplicaClient
  /** Default: the folder of {@link stateFolderOf}. */
  readonly stateFolder?: string
  readonly logger?: Logger
  readonly clock?: Clock
  /** Longest time between two looks at the WAL when no event comes. Default 1000. */
  readonly monitorIntervalMs?: number
  /** Least time between two uploads. Default 0: each capture is shipped at once. */
  readonly syncIntervalMs?: number
  /** Pages in the WAL from which on we checkpoint. Default 500. */
  readonly checkpointPages?: number
  /** How long to wait at the start for a database that somebody has locked. Default 1000. */
  readonly busyTimeoutMs?: number
  /** How pages are packed; `frame` for readers older than Litestream 0.5.16. Default `block`. */
  readonly payload?: PagePayload
  /** How long a stop may take to bring everything to the replica. Default 30 000. */
  readonly shutdownTimeoutMs?: number
}

/** Where a database stands. */
export interface ReplicatedDatabaseStatus {
  readonly path: string
  /** Last captured transaction; 0 for none. */
  readonly txid: TXID
  /** Everything up to here is durable in the replica. */
  readonly replicatedTXID: TXID
  readonly walBytes: number
}

const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 30_000
const LATER_MS = 2
const DISK_FULL_RETRY_MS = 1000

/**
 * Keeps one database replicated: capture, upload, and coming back by itself after any fault.
 *
 * {@link run} or {@link syncOnce}, once each at a time. Faults that only an operator can mend reject it when they are
 * there at the start (`DB_…`, `REPLICA_…`, `OBJECT_…` codes), and at any time when the chain is at stake (`DB_FORKED`,
 * `DB_BEHIND_REPLICA`); everything else is logged, once per 30 s, and tried again.
 */
export class ReplicatedDatabase {
  readonly #options: SessionOptions
  readonly #shutdownTimeoutMs: number
  readonly #errors: RepeatedErrors
  #session: Session | undefined
  #status: ReplicatedDatabaseStatus

  constructor(options: ReplicatedDatabaseOptions) {
    this.#options = {
      path: options.path,
      client: options.replica,
      stateFolder: options.stateFolder ?? stateFolderOf(options.path),
      logger: options.logger ?? silentLogger,
      clock: options.clock ?? systemClock,
      monitorIntervalMs: options.monitorIntervalMs ?? 1000,
      syncIntervalMs: options.syncIntervalMs ?? 0,
      checkpointPages: options.checkpointPages ?? 500,
      busyTimeoutMs: options.busyTimeoutMs ?? 1000,
      payload: options.payload ?? 'block',
      isPatient: true,
    }
    this.#shutdownTimeoutMs = options.shutdownTimeoutMs ?? 30_000
    this.#errors = new RepeatedErrors(this.#options.logger, this.#options.clock)
    this.#status = { path: options.path, txid: 0n, replicatedTXID: 0n, walBytes: 0 }
  }

  /** Where things stand now; after the end, where they stood then. */
  status(): ReplicatedDatabaseStatus {
    const session = this.#session
    if (session === undefined) return this.#status
    const { capture, uploader } = session
    const walBytes = capture.walBytes
    this.#status = {
      path: this.#options.path,
      txid: capture.txid,
      replicatedTXID: uploader.replicatedTXID,
      walBytes,
    }
    return this.#status
  }

  /**
   * Replicates until `signal` is aborted, then captures the rest, ships it and stops cleanly. Rejects when that takes
   * longer than the shutdown timeout, naming what was left behind.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#locked(async () => {
      let retryMs = FIRST_RETRY_MS
      let hasStarted = false
      const onStarted = (): void => {
        hasStarted = true
        retryMs = FIRST_RETRY_MS
      }
      for (;;) {
        // What fails after the stop was asked for is tried once more, from the beginning: then it is the run's error.
        const isLastTry = signal.aborted
        try {
          await this.#replicate(signal, onStarted)
          return
        } catch (error) {
          if (isLastTry || endsTheRun(error, hasStarted)) throw error
          this.#errors.report(error, 'replication was interrupted, trying again')
          await this.#options.clock.sleep(retryMs, signal).catch(() => undefined)
          retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
        }
      }
    })
  }

  /** Captures and ships what is committed now, then stops cleanly. */
  async syncOnce(signal: AbortSignal = new AbortController().signal): Promise<ReplicatedDatabaseStatus> {
    return this.#locked(async () => {
      const options = { ...this.#options, isPatient: false }
      await this.#withSession(options, signal, async (session, uploading) => {
        await session.seal(signal)
        await this.#shipRest(
          session,
          uploading,
          AbortSignal.any([signal, AbortSignal.timeout(this.#shutdownTimeoutMs)]),
        )
      })
      return this.#status
    })
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const { path, stateFolder } = this.#options
    const isNew = !existsSync(stateFolder)
    if (!existsSync(path)) throw notFoundError(path)
    const lock = acquireLock(path, stateFolder)
    try {
      return await work()
    } finally {
      lock.release()
      if (isNew && (await readLocalPosition(stateFolder)) === undefined) await removeLocalState(stateFolder)
    }
  }

  /** One session, to its clean end or its first fault. After `signal` the end may take the shutdown timeout. */
  async #replicate(signal: AbortSignal, onStarted: () => void): Promise<void> {
    const deadline = new StopDeadline(signal, this.#shutdownTimeoutMs)
    try {
      await this.#withSession(this.#options, deadline.signal, async (session, uploading) => {
        await this.#follow(session, uploading, signal, deadline.signal, onStarted)
        await session.seal(deadline.signal)
        await this.#shipRest(session, uploading, deadline.signal)
      })
    } catch (error) {
      if (deadline.signal.aborted && error === deadline.signal.reason) throw this.#cutShort(error)
      throw error
    } finally {
      deadline.clear()
    }
  }

  async #withSession(
    options: SessionOptions,
    signal: AbortSignal,
    work: (session: Session, uploading: Promise<void>) => Promise<void>,
  ): Promise<void> {
    const session = await Session.open(options, signal)
    this.#session = session
    const stop = new AbortController()
    const uploading = session.uploader.run(stop.signal)
    // Its failure is taken up by the work; until then it must not count as unhandled.
    uploading.catch(() => undefined)
    try {
      await work(session, uploading)
    } finally {
      stop.abort()
      await uploading.catch(() => undefined)
      this.status()
      this.#session = undefined
      session.close()
    }
  }

  async #follow(
    session: Session,
    uploading: Promise<void>,
    signal: AbortSignal,
    deadline: AbortSignal,
    onStarted: () => void,
  ): Promise<void> {
    const bell = new Bell(uploading)
    const watch = new WALWatch(session.path, () => bell.ring())
    const pace = new Pace(this.#options.syncIntervalMs)
    const onAbort = (): void => bell.ring()
    let isCapturing = false
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        bell.throwIfBroken()
        const found = await this.#stepPatiently(session, deadline)
        if (!isCapturing) {
          isCapturing = true
          this.#options.logger.info({ txid: formatTXID(session.capture.txid) }, 'capturing')
          onStarted()
        }
        await this.#untilNextLook(session, found, { bell, watch, pace, signal })
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      watch.close()
    }
  }

  /**
   * A full disk is waited out with the session open: to let go of the WAL would cost a snapshot, which needs more room
   * still.
   */
  async #stepPatiently(session: Session, deadline: AbortSignal): Promise<Exclude<Look, 'snapshot'>> {
    try {
      const found = await session.step(deadline)
      this.#errors.recovered('replication goes on')
      return found
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#errors.report(error, 'no space for the files of the replicator, trying again')
      await this.#options.clock.sleep(DISK_FULL_RETRY_MS, deadline)
      return 'later'
    }
  }

  async #untilNextLook(
    session: Session,
    found: Exclude<Look, 'snapshot'>,
    { bell, watch, pace, signal }: { bell: Bell; watch: WALWatch; pace: Pace; signal: AbortSignal },
  ): Promise<void> {
    if (found === 'later') return bell.pause(LATER_MS, signal)
    if (found === 'captured') {
      const pauseMs = pace.afterCaptureMs()
      if (pace.isBusy) watch.close()
      return bell.pause(pauseMs, signal)
    }
    pace.quiet()
    // Look once more after the watch is open: what was written in between rings no bell.
    if (!watch.isOpen && watch.open()) return
    await bell.wait(this.#options.monitorIntervalMs)
    if (session.capture.wasReplaced()) throw replacedError(this.#options.path)
  }

  async #shipRest(session: Session, uploading: Promise<void>, deadline: AbortSignal): Promise<void> {
    try {
      await Promise.race([session.uploader.drained(deadline), uploading])
    } catch (error) {
      if (!deadline.aborted || error !== deadline.reason) throw error
      throw this.#cutShort(session.uploader.lastError ?? error)
    }
  }

  #cutShort(cause: unknown): DatabaseError {
    const { txid, replicatedTXID } = this.status()
    const left = `${formatTXID(replicatedTXID + 1n)} to ${formatTXID(txid)}`
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    return new DatabaseError(
      'DB_CUT_SHORT',
      this.#options.path,
      `stopped with transactions ${left} not in the replica${reason}`,
      { cause, hint: 'they are kept beside the database and shipped at the next start' },
    )
  }
}

const ENDING: ReadonlySet<string> = new Set(['DB_FORKED', 'DB_BEHIND_REPLICA', 'DB_CUT_SHORT'])

/** True for what no waiting mends, or what nobody should wait for at the start. */
function endsTheRun(error: unknown, hasStarted: boolean): boolean {
  if (error instanceof DatabaseError && ENDING.has(error.code)) return true
  if (hasStarted) return false
  if (error instanceof ObjectStoreError) return !error.retryable
  return isHopeless(error) || error instanceof ReplicaError
}
