/**
 * How long to let commits gather before the next look.
 *
 * The first change after quiet is captured at once. While changes keep coming a look every 5 ms, and the longer it
 * lasts the more at a time, up to 20 ms: fewer and larger files for a lag that nobody notices. `shortestMs` is the
 * least time between two looks that found something, where a pace is asked for.
 */
export class Pace {
  readonly #shortestMs: number
  #captures = 0

  constructor(shortestMs: number) {
    this.#shortestMs = shortestMs
  }

  /** Time to wait after a look that captured something, in ms. */
  afterCaptureMs(): number {
    this.#captures++
    const pauseMs = this.#captures <= 3 ? 5 : this.#captures <= 100 ? 10 : 20
    return Math.max(pauseMs, this.#shortestMs)
  }

  /** True once changes come one after the other, so that the clock is a better guide than events. */
  get isBusy(): boolean {
    return this.#captures >= 2
  }

  /** To be called when a look found nothing. */
  quiet(): void {
    this.#captures = 0
  }
}
