import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until it is moved. A sleep moves it, is noted, and gives other work a turn. */
export class FakeClock implements Clock {
  readonly sleepsMs: number[] = []
  #nowMs: number

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleepsMs.push(ms)
    this.advance(ms)
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
  }
}
