import { existsSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import type { Logger } from '../logger.ts'

const DEFAULT_INTERVAL_MS = 1000

/** Waits until a database appears at `path`, looking every `intervalMs`. An abort rejects with the signal's reason. */
export async function waitForDatabase(
  path: string,
  logger: Logger,
  signal: AbortSignal,
  intervalMs: number = DEFAULT_INTERVAL_MS,
): Promise<void> {
  logger.info({}, 'waiting for the database to be created')
  while (!existsSync(path)) {
    await systemClock.sleep(intervalMs, signal)
  }
}
