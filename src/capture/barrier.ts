import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { WALConnections } from '../sqlite/wal-connections.ts'

/** First wait after a writer was in the way, in ms. */
export const BARRIER_FIRST_RETRY_MS = 5
const BARRIER_LONGEST_RETRY_MS = 100
const BARRIER_WAIT_SAID_MS = 10_000

/** Waits for as long as a writer takes; not by spinning, for there is nothing to lose yet. */
export async function takeBarrier(
  connections: WALConnections,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal?: AbortSignal,
): Promise<void> {
  const startMs = clock.monotonicMs()
  let retryMs = BARRIER_FIRST_RETRY_MS
  let hasSaid = false
  while (!connections.tryBarrier()) {
    await clock.sleep(retryMs, signal)
    retryMs = Math.min(retryMs * 2, BARRIER_LONGEST_RETRY_MS)
    if (hasSaid || clock.monotonicMs() - startMs < BARRIER_WAIT_SAID_MS) continue
    hasSaid = true
    logger.warn({}, 'waiting for a transaction that holds the write lock of the database')
  }
}
