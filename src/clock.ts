/**
 * Where time comes from, so that tests can hold it.
 *
 * `now()` is the wall clock in ms since the Unix epoch and may jump; `monotonicMs()` never goes back and has no
 * meaning as a date.
 */
export interface Clock {
  now(): number
  monotonicMs(): number
  /** Resolves after `ms`; an abort rejects at once with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** The machine's clock. */
export const systemClock: Clock = { now: Date.now, monotonicMs: () => performance.now(), sleep }
