/** What wakes the loop: a change, the end, or the uploader breaking. Rings while nobody waits are kept. */
export class Bell {
  #isRung = false
  #error: unknown
  #isBroken = false
  #answer: (() => void) | undefined

  constructor(uploading: Promise<void>) {
    uploading.catch((error: unknown) => {
      this.#isBroken = true
      this.#error = error
      this.ring()
    })
  }

  ring(): void {
    this.#isRung = true
    this.#answer?.()
  }

  throwIfBroken(): void {
    if (this.#isBroken) throw this.#error
  }

  /** Resolves at the next ring, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer?.(), ms)
      this.#answer = (): void => {
        clearTimeout(timer)
        this.#answer = undefined
        this.#isRung = false
        resolve()
      }
      if (this.#isRung) this.#answer()
    })
  }

  /** Lets commits gather for `ms`, rings or not; only the end cuts it short. */
  pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    })
  }
}
