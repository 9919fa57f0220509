import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

const QUIET_MS = 30_000

/**
 * Says what goes wrong in a loop that tries again: each fault at once, the same one again only every 30 s, and once
 * when it is over.
 */
export class RepeatedErrors {
  readonly #logger: Logger
  readonly #clock: Clock
  #last: { readonly text: string; readonly saidMs: number } | undefined
  #count = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  report(error: unknown, message: string): void {
    this.#count++
    const text = `${message}: ${error instanceof Error ? error.message : String(error)}`
    const nowMs = this.#clock.monotonicMs()
    if (this.#last?.text === text && nowMs - this.#last.saidMs < QUIET_MS) return
    this.#last = { text, saidMs: nowMs }
    this.#logger.error({ err: error, attempts: this.#count }, message)
  }

  /** To be called after each success; says so only after a reported fault. */
  recovered(message: string): void {
    if (this.#last === undefined) return
    this.#logger.info({ attempts: this.#count }, message)
    this.#last = undefined
    this.#count = 0
  }
}
