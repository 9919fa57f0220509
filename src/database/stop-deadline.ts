/** The signal that ends what a stop still has to do: the shutdown timeout after the stop was asked for. */
export class StopDeadline {
  readonly #controller = new AbortController()
  readonly #stop: AbortSignal
  readonly #start: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(stop: AbortSignal, timeoutMs: number) {
    this.#stop = stop
    this.#start = (): void => {
      this.#timer = setTimeout(() => this.#controller.abort(), timeoutMs)
    }
    if (stop.aborted) this.#start()
    else stop.addEventListener('abort', this.#start, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  clear(): void {
    this.#stop.removeEventListener('abort', this.#start)
    clearTimeout(this.#timer)
  }
}
