import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** The built command. */
export const MAIN: string = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url))

/** How a command ended. */
export interface CLIResult {
  /** Exit code, or the signal that killed it. */
  code: number | string
  stdout: string
  stderr: string
}

/** Where and with what a command runs. Of this process's environment only PATH, HOME and TMPDIR are passed on. */
export interface CLIOptions {
  cwd?: string
  env?: Readonly<Record<string, string>>
}

/** A command of ours that is running, in a process of its own. */
export class RunningCLI {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #output = { stdout: '', stderr: '' }
  /** Settles when the process has ended and all its output is there. */
  readonly result: Promise<CLIResult>

  constructor(args: readonly string[], options: CLIOptions = {}) {
    const { PATH, HOME, TMPDIR } = process.env
    const inherited = Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value))
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream].setEncoding('utf8').on('data', (chunk: string) => (this.#output[stream] += chunk))
    }
    this.result = once(this.#child, 'close').then(([code, signal]) => ({
      code: typeof code === 'number' ? code : String(signal),
      ...this.#output,
    }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** What came on stderr so far. */
  get stderr(): string {
    return this.#output.stderr
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when stderr contains `text`; rejects when the process ends before, or after 20 s. */
  async logged(text: string): Promise<void> {
    const deadline = AbortSignal.timeout(20_000)
    const ended = this.result.then((result) => {
      throw new Error(`ended without logging "${text}": ${JSON.stringify(result)}`)
    })
    ended.catch(() => undefined)
    while (!this.stderr.includes(text)) {
      await Promise.race([once(this.#child.stderr, 'data', { signal: deadline }), ended])
    }
  }

  /** Kills what is still running, so that no test leaves a process behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.result
  }
}

/** Runs a command of ours to its end. */
export function runCLI(args: readonly string[], options: CLIOptions = {}): Promise<CLIResult> {
  return new RunningCLI(args, options).result
}

/** Resolves when `condition` holds, looking every 10 ms; rejects after `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
