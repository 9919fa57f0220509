import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How the application opens its database. */
export interface ApplicationOptions {
  readonly pageSize?: number
  readonly autoVacuum?: 'none' | 'full' | 'incremental'
  readonly journalMode?: 'wal' | 'delete'
  readonly walAutocheckpoint?: number
  readonly cachePages?: number
  readonly synchronous?: 'off' | 'normal' | 'full'
}

const PROCESS = fileURLToPath(new URL('application-process.mjs', import.meta.url))

/**
 * An application: a process of its own that has a database open through better-sqlite3 and does what it is told.
 * A replicator must never share a process with it, as SQLite's locks belong to processes.
 */
export class Application {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #nextID = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if (message.error === undefined) waiting?.resolve(message.value)
      else waiting?.reject(new Error(message.error))
    })
    child.on('exit', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the application ended'))
      this.#pending.clear()
    })
  }

  /** Starts the process; the database is opened by {@link open}. */
  static start(): Application {
    return new Application(fork(PROCESS, { serialization: 'advanced' }))
  }

  /** Starts the process and opens the database at `path`. */
  static async open(path: string, options: ApplicationOptions = {}): Promise<Application> {
    const application = Application.start()
    await application.open(path, options)
    return application
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Opens a database; one at a time. */
  async open(path: string, options: ApplicationOptions = {}): Promise<void> {
    await this.#call('open', path, options)
  }

  /** Closes the database and leaves the process running. */
  async close(): Promise<void> {
    await this.#call('close')
  }

  async exec(sql: string): Promise<void> {
    await this.#call('exec', sql)
  }

  /** First column of the first row. */
  async value(sql: string): Promise<unknown> {
    return this.#call('value', sql)
  }

  /** Every page of the database as SQLite sees it now, whatever of it is still in the WAL. */
  async image(): Promise<Buffer> {
    return Buffer.from((await this.#call('image')) as Uint8Array)
  }

  /** Commits `count` small transactions one after the other; resolves when the last is committed. */
  async insertMany(count: number, payloadBytes = 100): Promise<void> {
    await this.#call('insertMany', count, payloadBytes)
  }

  /** Ends the process; its connections are closed first, as a well-behaved application does. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.send({ id: this.#nextID++, method: 'stop', args: [] })
    await ended
  }

  /** Ends the process the way a power cut ends it for SQLite: nothing is closed. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #call(method: string, ...args: unknown[]): Promise<unknown> {
    const id = this.#nextID++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#child.send({ id, method, args })
    })
  }
}
