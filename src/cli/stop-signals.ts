import process from 'node:process'

/** The signals that ask a process to stop, as they arrive. */
export interface StopSignals extends Disposable {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly stop: AbortSignal
  /** Aborted by the second. */
  readonly stopNow: AbortSignal
}

/**
 * A terminal signals the whole process group, and a wrapper such as npm passes the signal on: one Ctrl-C can arrive
 * twice. A repetition within this time is the same request.
 */
const SAME_REQUEST_MS = 200

/** SIGHUP too: a terminal that is closed must not cost the last commits. */
const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Listens for SIGINT, SIGTERM and SIGHUP until disposed of. From then on they end the process again as usual. */
export function listenForStop(): StopSignals {
  const stop = new AbortController()
  const stopNow = new AbortController()
  let firstAtMs = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!stop.signal.aborted) {
      firstAtMs = performance.now()
      stop.abort(new StopRequest(signal))
    } else if (performance.now() - firstAtMs >= SAME_REQUEST_MS) {
      stopNow.abort(new StopRequest(signal))
    }
  }
  for (const signal of STOPPING) process.on(signal, onSignal)
  return {
    stop: stop.signal,
    stopNow: stopNow.signal,
    [Symbol.dispose]: () => {
      for (const signal of STOPPING) process.off(signal, onSignal)
    },
  }
}

/** The reason of the signals above. Named as the DOM names an abort, which is what it is to those who see it. */
export class StopRequest extends Error {
  override readonly name = 'AbortError'
  /** The signal that arrived. */
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}

/** The request if `error` is one. */
export function asStopRequest(error: unknown): StopRequest | undefined {
  return error instanceof StopRequest ? error : undefined
}
