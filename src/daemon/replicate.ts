import type { ReplicaClient } from '../../replica/index.ts'
import { openLastingReplica } from '../lasting-replica.ts'
import { formatTXID } from '../../ltx/index.ts'
import { ReplicatedDatabase } from '../database/replicated-database.ts'
import type { Logger } from '../logger.ts'
import { version } from '../version.ts'
import { restoreIfMissing } from './restore-if-missing.ts'
import type { DatabaseConfig } from '../config/config.ts'
import { waitForDatabase } from './wait-for-database.ts'

/** What runs with the replication of every target. */
export interface ReplicateOptions {
  logger: Logger
  /** Asks for the clean end: a last capture, a last upload. */
  signal: AbortSignal
}

/**
 * Replicates all targets until `signal` is aborted and each has been drained. A target that fails leaves the others
 * alone. Resolves with the errors of those that failed, empty after a clean end.
 */
export async function replicateUntilStopped(
  targets: readonly DatabaseConfig[],
  options: ReplicateOptions,
): Promise<unknown[]> {
  return forEachTarget(targets, options, async (target, client, logger) => {
    if (!(await makeReady(target, client, logger, options.signal))) return
    logger.info({ replica: client.url, version }, 'starting replication')
    await createDatabase(target, client, logger).run(options.signal)
    logger.info({}, 'stopped')
  })
}

/** Replicates what is committed now in all targets. Resolves with the errors of those that failed. */
export async function replicateOnce(
  targets: readonly DatabaseConfig[],
  options: ReplicateOptions,
): Promise<unknown[]> {
  return forEachTarget(targets, options, async (target, client, logger) => {
    if (target.restoreIfMissing) await restoreIfMissing(target.path, client, logger, options.signal)
    const status = await createDatabase(target, client, logger).syncOnce(options.signal)
    logger.info({ replica: client.url, txid: formatTXID(status.replicatedTXID) }, 'replicated')
  })
}

type Work = (target: DatabaseConfig, client: ReplicaClient, logger: Logger) => Promise<void>

async function forEachTarget(
  targets: readonly DatabaseConfig[],
  options: ReplicateOptions,
  work: Work,
): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(
    targets.map(async (target) => {
      const logger = options.logger.child({ db: target.path })
      try {
        const client = await openLastingReplica(target.replica.url)
        try {
          await work(target, client, logger)
        } finally {
          await client.close()
        }
      } catch (err) {
        // Of a single target the caller reports the error.
        if (targets.length > 1) logger.error({ err }, 'replication failed')
        throw err
      }
    }),
  )
  return outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
}

/** Whether the database is there to be replicated; false when told to stop before it was. */
async function makeReady(
  target: DatabaseConfig,
  client: ReplicaClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  if (!target.restoreIfMissing) return true
  try {
    const isThere = await restoreIfMissing(target.path, client, logger, signal)
    if (!isThere) await waitForDatabase(target.path, logger, signal, target.monitorIntervalMs)
    return true
  } catch (error) {
    // A restore that is stopped leaves nothing behind: a clean end, not a failure.
    if (signal.aborted && error === signal.reason) return false
    throw error
  }
}

function createDatabase(target: DatabaseConfig, client: ReplicaClient, logger: Logger): ReplicatedDatabase {
  const { monitorIntervalMs, checkpointPages, busyTimeoutMs, replica } = target
  return new ReplicatedDatabase({
    path: target.path,
    replica: client,
    logger,
    ...(monitorIntervalMs === undefined ? {} : { monitorIntervalMs }),
    ...(checkpointPages === undefined ? {} : { checkpointPages }),
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
    ...(replica.syncIntervalMs === undefined ? {} : { syncIntervalMs: replica.syncIntervalMs }),
    ...(replica.payload === undefined ? {} : { payload: replica.payload }),
  })
}
