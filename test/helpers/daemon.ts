import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Application, type ApplicationOptions } from './application.ts'
import { type CLIResult, RunningCLI, until } from './cli.ts'
import { expectSamePages, restoredImage } from './restored.ts'
import { TemporaryFolder } from './temporary-folder.ts'

/**
 * A database, an application, and the real daemon beside it, each in its own process, with the daemon to be started,
 * stopped and killed at will.
 */
export class Scene implements AsyncDisposable {
  readonly folder: TemporaryFolder = new TemporaryFolder()
  readonly path: string = this.folder.join('app.db')
  readonly url: string = `file://${this.folder.join('replica')}`
  readonly stateFolder: string = this.folder.join('.app.db-replicate')
  application!: Application
  #daemon: RunningCLI | undefined

  static async set(sql: string, options: ApplicationOptions = {}): Promise<Scene> {
    const scene = new Scene()
    scene.application = await Application.open(scene.path, options)
    await scene.application.exec(sql)
    return scene
  }

  /** Starts the daemon and waits until the replica has everything. */
  async start(): Promise<void> {
    this.#daemon = new RunningCLI(['replicate', '-log-level', 'debug', this.path, this.url])
    await this.#daemon.logged('capturing')
    await this.replicated()
  }

  /** Everything the daemon has said since its last start. */
  get log(): string {
    return this.#daemon?.stderr ?? ''
  }

  /** CPU time that the daemon has used, in ms. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#daemon!.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }

  /** Snapshots taken since the last start. */
  get snapshots(): number {
    return this.log.split('snapshot captured').length - 1
  }

  /** Names of the replica's level-0 files. */
  files(): string[] {
    return ltxNames(this.folder.join('replica', 'ltx', '0'))
  }

  /** Names of the level-0 files beside the database. */
  localFiles(): string[] {
    return ltxNames(join(this.stateFolder, 'ltx', '0'))
  }

  /** Waits until the replica gives back what the application sees. Nothing may be written meanwhile. */
  async replicated(): Promise<void> {
    const expected = await this.#seen()
    let restored: Buffer = Buffer.alloc(0)
    await until('the replica has everything', async () => {
      if (this.files().length === 0) return false
      restored = await restoredImage(this.url, this.folder.join('probe.db'))
      return restored.equals(expected)
    }).catch(() => undefined)
    expectSamePages(restored, expected, 'the replica')
  }

  /** Ends the daemon with SIGTERM and sees it drain. */
  async stop(): Promise<CLIResult> {
    this.#daemon!.kill('SIGTERM')
    const result = await this.#daemon!.result
    expect(result.code).toBe(0)
    return result
  }

  /** Ends the daemon with SIGTERM where it cannot drain. */
  async stopInVain(): Promise<CLIResult> {
    this.#daemon!.kill('SIGTERM')
    return this.#daemon!.result
  }

  /** Waits until the daemon has said `text`. */
  async logged(text: string): Promise<void> {
    await this.#daemon!.logged(text)
  }

  /** Ends the daemon in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#daemon!.kill('SIGKILL')
    await this.#daemon!.result
  }

  /** How the daemon ended by itself. */
  async ended(): Promise<CLIResult> {
    return this.#daemon!.result
  }

  /** Starts the daemon where it cannot work, and waits for its end. */
  async startInVain(path: string = this.path): Promise<CLIResult> {
    this.#daemon = new RunningCLI(['replicate', path, this.url])
    return this.#daemon.result
  }

  /** Writes, reads or whatever, in a process that opens the database for it and closes it again. */
  async briefly(sql: string): Promise<void> {
    const visitor = await Application.open(this.path)
    await visitor.exec(sql)
    await visitor.stop()
  }

  removeState(): void {
    rmSync(this.stateFolder, { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]()
    await this.application.kill()
    this.folder[Symbol.dispose]()
  }

  async #seen(): Promise<Buffer> {
    if (this.application.isRunning) return this.application.image()
    const visitor = await Application.open(this.path)
    const image = await visitor.image()
    await visitor.stop()
    return image
  }
}

function ltxNames(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ltx'))
    .sort()
}
