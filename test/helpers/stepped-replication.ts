import { openReplica, type ReplicaClient } from '../../replica/index.ts'
import { systemClock } from '../../src/clock.ts'
import { acquireLock } from '../../src/database/acquire-lock.ts'
import { Session } from '../../src/database/session.ts'
import type { Logger } from '../../src/logger.ts'
import type { ProcessLock } from '../../src/state/process-lock.ts'
import { stateFolderOf } from '../../src/state/state-folder.ts'
import type { TXID } from '../../ltx/index.ts'

/** What a stepped replication may change of the defaults. */
export interface SteppedOptions {
  readonly checkpointPages?: number
  readonly payload?: 'block' | 'frame'
}

/**
 * Replication of one database that goes on only when it is told to, so that a test knows which transaction each file
 * holds. The real session, on the real database; only its clockwork is in the test's hands.
 */
export class SteppedReplication {
  readonly session: Session
  readonly log: string[]
  readonly #client: ReplicaClient
  readonly #lock: ProcessLock
  readonly #stop = new AbortController()
  readonly #uploading: Promise<void>

  private constructor(session: Session, client: ReplicaClient, lock: ProcessLock, log: string[]) {
    this.session = session
    this.log = log
    this.#client = client
    this.#lock = lock
    this.#uploading = session.uploader.run(this.#stop.signal)
  }

  static async start(path: string, url: string, options: SteppedOptions = {}): Promise<SteppedReplication> {
    const stateFolder = stateFolderOf(path)
    const lock = acquireLock(path, stateFolder)
    const client = await openReplica(url)
    const log: string[] = []
    const session = await Session.open({
      path,
      stateFolder,
      client,
      clock: systemClock,
      logger: recordingLogger(log),
      monitorIntervalMs: 1000,
      syncIntervalMs: 0,
      checkpointPages: options.checkpointPages ?? 500,
      busyTimeoutMs: 1000,
      payload: options.payload ?? 'block',
      isPatient: true,
    })
    return new SteppedReplication(session, client, lock, log)
  }

  get txid(): TXID {
    return this.session.capture.txid
  }

  /** Captures everything that is committed now and waits until the replica has it. Returns the TXID reached. */
  async catchUp(): Promise<TXID> {
    const deadline = AbortSignal.timeout(60_000)
    for (;;) {
      const found = await this.session.step(deadline)
      if (found === 'nothing') break
      deadline.throwIfAborted()
    }
    await Promise.race([this.session.uploader.drained(deadline), this.#uploading])
    return this.txid
  }

  /** Ends as a SIGTERM does: seals, ships the rest, closes. */
  async stop(): Promise<void> {
    await this.session.seal(AbortSignal.timeout(60_000))
    await Promise.race([this.session.uploader.drained(AbortSignal.timeout(60_000)), this.#uploading])
    await this.#end()
  }

  /** Ends without the record of a clean stop. Unlike kill -9 the connections are closed. */
  async abandon(): Promise<void> {
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#stop.abort()
    await this.#uploading
    this.session.close()
    this.#lock.release()
    await this.#client.close()
  }
}

/** Writes each line as `level message {fields}`, for a test to search. */
export function recordingLogger(lines: string[]): Logger {
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields, (_key, value) => plain(value))}`)
    }
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  }
  return logger
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return { message: value.message, code: (value as { code?: string }).code }
  return typeof value === 'bigint' ? String(value) : value
}
