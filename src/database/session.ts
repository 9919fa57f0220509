import { dirname } from 'node:path'
import { realpathSync, statSync } from 'node:fs'
import type { PagePayload } from '../../ltx/index.ts'
import type { ReplicaClient } from '../../replica/index.ts'
import { Capture, type Look } from '../capture/capture.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { type Level0File, Level0Folder } from '../state/level0-folder.ts'
import { level0FolderOf } from '../state/state-folder.ts'
import { Uploader } from '../upload/uploader.ts'
import { emptyError, isDiskFull, replacedError } from '../database-error.ts'
import { joinChains } from './chain.ts'

/** What a session works with; every option decided. */
export interface SessionOptions {
  readonly path: string
  readonly stateFolder: string
  readonly client: ReplicaClient
  readonly clock: Clock
  readonly logger: Logger
  readonly monitorIntervalMs: number
  readonly syncIntervalMs: number
  readonly checkpointPages: number
  readonly busyTimeoutMs: number
  readonly payload: PagePayload
  /** Whether an upload that only an operator can mend is waited for. */
  readonly isPatient: boolean
}

const LATER_MS = 2
const FIRST_SNAPSHOT_RETRY_MS = 10
const LONGEST_SNAPSHOT_RETRY_MS = 200

/**
 * One stretch of replicating a database, from opening it to closing it: its capture and its uploader, with the chain
 * that they continue. After a fault a new session finds out anew where things stand.
 */
export class Session {
  readonly capture: Capture
  readonly uploader: Uploader
  readonly #level0: Level0Folder
  readonly #options: SessionOptions

  private constructor(options: SessionOptions, level0: Level0Folder, capture: Capture, uploader: Uploader) {
    this.#options = options
    this.#level0 = level0
    this.capture = capture
    this.uploader = uploader
  }

  /** Joins what is here with the replica and opens the database. Rejects with typed errors of both. */
  static async open(options: SessionOptions, signal?: AbortSignal): Promise<Session> {
    const { path, client, clock, logger } = options
    const level0 = new Level0Folder(level0FolderOf(options.stateFolder), {
      ...modesOf(path),
      payload: options.payload,
    })
    try {
      const joined = await joinChains({ ...options, databasePath: path, level0, ...withSignal(signal) })
      // A file that was only touched, or a mount that is empty, would become the newest state.
      if (statSync(path).size === 0 && joined.chain.highestTXID > 0n) throw emptyError(path, client.url)
      const uploader = new Uploader(
        { databasePath: path, client, level0, clock, logger, isPatient: options.isPatient },
        joined.replicatedTXID,
        joined.reachableTXID,
      )
      uploader.adopt(joined.shipped)
      uploader.add(joined.missing)
      const onFile = (file: Level0File): void => uploader.add([file])
      const capture = await Capture.open({ ...options, level0, onFile }, joined.chain, signal)
      return new Session(options, level0, capture, uploader)
    } catch (error) {
      level0.close()
      throw error
    }
  }

  /** Path of the database, symbolic links resolved. */
  get path(): string {
    return this.capture.path
  }

  /** One look at the WAL; what it captures is on its way to the replica. Takes the snapshot when one is due. */
  async step(signal: AbortSignal): Promise<Exclude<Look, 'snapshot'>> {
    const look = this.capture.look()
    if (look !== 'snapshot') return look
    await this.#snapshot(signal)
    return 'captured'
  }

  /**
   * Captures everything that is committed at the call and leaves the record of a clean stop, where the application
   * lets it. Rejects with the signal's reason when that takes too long.
   */
  async seal(signal: AbortSignal): Promise<void> {
    if (this.capture.wasReplaced()) throw replacedError(this.path)
    while ((await this.step(signal)) === 'later') await this.#options.clock.sleep(LATER_MS, signal)
    try {
      await this.capture.seal(signal)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      // Everything is captured; only the next start has more to look at.
      this.#options.logger.warn({ err: error }, 'no space to checkpoint before the stop')
    }
  }

  close(): void {
    this.capture.close()
    this.#level0.close()
  }

  async #snapshot(signal: AbortSignal): Promise<void> {
    const { logger, clock } = this.#options
    logger.info({ reason: this.capture.snapshotReason }, 'taking a full snapshot')
    let retryMs = FIRST_SNAPSHOT_RETRY_MS
    while (!(await this.capture.snapshot(signal))) {
      await clock.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, LONGEST_SNAPSHOT_RETRY_MS)
    }
  }
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** Files that we make are as private as the database, folders as its folder. */
function modesOf(path: string): { fileMode: number; folderMode: number } {
  const realPath = realpathSync(path)
  return { fileMode: statSync(realPath).mode & 0o666, folderMode: statSync(dirname(realPath)).mode & 0o777 }
}
