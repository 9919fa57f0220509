import { formatTXID, type TXID } from '../../ltx/index.ts'
import { ObjectStoreError, type ReplicaClient, ReplicaError } from '../../replica/index.ts'
import type { Clock } from '../clock.ts'
import { DatabaseError, forkedError } from '../database-error.ts'
import { RepeatedErrors } from '../repeated-errors.ts'
import type { Logger } from '../logger.ts'
import type { Level0File, Level0Folder } from '../state/level0-folder.ts'
import { filesToShip } from './files-to-ship.ts'
import { readCoverage, type ReplicaCoverage } from './replica-coverage.ts'

/** What an uploader works with. */
export interface UploaderOptions {
  readonly databasePath: string
  readonly client: ReplicaClient
  readonly level0: Level0Folder
  readonly clock: Clock
  readonly logger: Logger
  /** Whether to try again what only an operator can mend, a refused key or a read-only disk, for he may. */
  readonly isPatient: boolean
}

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 30_000
const KEEP_LOCAL_MS = 5 * 60_000

/**
 * Ships the level-0 files of one database to its replica, in the order of their TXIDs.
 *
 * What the replica holds is known, not listed again, until something fails: then it is read anew, and every local
 * file that the replica lacks is shipped, interior ones too. A file is acknowledged when the replica has it durably.
 * Local files that the replica has are removed after five minutes, but for the newest, which is capture's position.
 */
export class Uploader {
  readonly #options: UploaderOptions
  readonly #queue: Level0File[] = []
  #shipped: Level0File[] = []
  readonly #errors: RepeatedErrors
  #replicatedTXID: TXID
  #highestTXID: TXID
  #lastError: unknown
  #wake: (() => void) | undefined
  #idle: (() => void)[] = []
  #isShipping = false
  #hasSaidUpToDate = false

  /**
   * Everything up to `replicatedTXID` is in the replica, and everything up to `reachableTXID` will be with the files that
   * are added first.
   */
  constructor(options: UploaderOptions, replicatedTXID: TXID, reachableTXID: TXID = replicatedTXID) {
    this.#options = options
    this.#replicatedTXID = replicatedTXID
    this.#highestTXID = reachableTXID
    this.#errors = new RepeatedErrors(options.logger, options.clock)
  }

  /** Everything up to this TXID is durable in the replica. */
  get replicatedTXID(): TXID {
    return this.#replicatedTXID
  }

  /** What the last upload failed with; undefined after a success. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Adds files to ship, newer than all that were added before. */
  add(files: readonly Level0File[]): void {
    for (const file of files) {
      this.#queue.push(file)
      if (file.maxTXID > this.#highestTXID) this.#highestTXID = file.maxTXID
    }
    this.#wake?.()
  }

  /** Takes over files that the replica has already, so that they are removed in time. */
  adopt(files: readonly Level0File[]): void {
    this.#shipped.push(...files)
    this.#shipped.sort(byTXID)
  }

  /** Resolves when nothing is left to ship, or rejects with the signal's reason. */
  drained(signal: AbortSignal): Promise<void> {
    if (this.#queue.length === 0 && !this.#isShipping) return Promise.resolve()
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#idle.push(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }

  /**
   * Ships until aborted. Rejects with a {@link DatabaseError}: `DB_FORKED` when the replica holds other bytes under a
   * name of ours, `DB_FAILED` when it has lost files that are gone here too, so that only a snapshot helps. Every
   * other failure is tried again, with back-off.
   */
  async run(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        await this.#shipQueue(signal)
        retryMs = FIRST_RETRY_MS
        await this.#untilAdded(signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof ReplicaError && error.code === 'REPLICA_FILE_CONFLICT')
          throw forkedError(this.#options.databasePath, this.#options.client.url, error)
        if (!this.#options.isPatient && error instanceof ObjectStoreError && !error.retryable) throw error
        this.#lastError = error
        this.#errors.report(error, 'upload failed, trying again')
        await this.#options.clock.sleep(retryMs, signal).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
        await this.#readPosition(signal)
      }
    }
  }

  async #shipQueue(signal: AbortSignal): Promise<void> {
    this.#isShipping = true
    try {
      for (let file = this.#queue[0]; file !== undefined; file = this.#queue[0]) {
        await this.#ship(file, signal)
        this.#queue.shift()
        if (file.minTXID <= this.#replicatedTXID + 1n) this.#reach(file.maxTXID)
        this.#advance()
      }
    } finally {
      this.#isShipping = false
    }
    this.#sayUpToDate()
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #ship(file: Level0File, signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#options
    const { path, minTXID, maxTXID, sizeBytes, timestampMs } = file
    const body = { path, sizeBytes, modifiedMs: timestampMs }
    await client.writeLTXFile({ level: 0, minTXID, maxTXID }, body, { timestampMs, signal })
    this.#lastError = undefined
    this.#errors.recovered('uploads go on')
    this.adopt([file])
    this.#removeOld()
    logger.debug({ txid: formatTXID(maxTXID), bytes: sizeBytes }, 'replicated')
  }

  /** After an error nothing is sure any more, not even that the failed file is not there. */
  async #readPosition(signal: AbortSignal): Promise<void> {
    let coverage: ReplicaCoverage
    try {
      coverage = await readCoverage(this.#options.client, signal)
    } catch (error) {
      if (!signal.aborted)
        this.#errors.report(error, 'reading the position of the replica failed, trying again')
      return
    }
    const local = this.#options.level0.list()
    const { files, replicatedTXID, reachableTXID } = filesToShip(local, coverage)
    if (reachableTXID < this.#highestTXID) throw brokenError(this.#options, reachableTXID)
    const missing = new Set(files)
    this.#queue.splice(0, this.#queue.length, ...files)
    this.#shipped = local.filter((file) => !missing.has(file))
    this.#replicatedTXID = replicatedTXID
    this.#advance()
  }

  /** Once: from here on a loss of this machine loses nothing that is older than a moment. */
  #sayUpToDate(): void {
    if (this.#hasSaidUpToDate || this.#replicatedTXID === 0n) return
    this.#hasSaidUpToDate = true
    this.#options.logger.info({ txid: formatTXID(this.#replicatedTXID) }, 'the replica is up to date')
  }

  #advance(): void {
    const next = this.#queue[0]
    this.#reach(next === undefined ? this.#highestTXID : next.minTXID - 1n)
  }

  /** Only upwards: a snapshot that spans what the replica has already takes nothing of that back. */
  #reach(txid: TXID): void {
    if (txid > this.#replicatedTXID) this.#replicatedTXID = txid
  }

  /** The newest stays whatever its age: it is capture's position. */
  #removeOld(): void {
    const oldestMs = this.#options.clock.now() - KEEP_LOCAL_MS
    while (this.#shipped.length > 1 && this.#shipped[0]!.timestampMs < oldestMs) {
      this.#options.level0.remove(this.#shipped.shift()!)
    }
  }

  #untilAdded(signal: AbortSignal): Promise<void> {
    if (this.#queue.length > 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }
}

function byTXID(a: Level0File, b: Level0File): number {
  return a.maxTXID < b.maxTXID ? -1 : a.maxTXID > b.maxTXID ? 1 : 0
}

function brokenError({ databasePath, client }: UploaderOptions, reachableTXID: TXID): DatabaseError {
  const first = formatTXID(reachableTXID + 1n)
  return new DatabaseError(
    'DB_FAILED',
    databasePath,
    `the replica has lost transaction ${first}: ${client.url}`,
    {
      hint: 'its local file is gone too; a snapshot takes its place',
    },
  )
}
