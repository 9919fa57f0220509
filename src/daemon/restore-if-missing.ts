import { existsSync } from 'node:fs'
import { formatTXID } from '../../ltx/index.ts'
import type { ReplicaClient } from '../../replica/index.ts'
import { codeOf } from '../error-fields.ts'
import type { Logger } from '../logger.ts'
import { restore } from '../restore/index.ts'

/**
 * Restores the newest state of a replica to `path` if there is no database. Resolves with whether there is one
 * afterwards: an empty replica is no error, since the first start of an application finds both missing.
 */
export async function restoreIfMissing(
  path: string,
  client: ReplicaClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  if (existsSync(path)) return true
  logger.info({ replica: client.url }, 'database is missing, restoring it')
  try {
    const result = await restore({ client, outputPath: path, ifDbNotExists: true, signal })
    if (!result.skipped) logger.info({ txid: formatTXID(result.txid), bytes: result.sizeBytes }, 'restored')
    return true
  } catch (error) {
    if (codeOf(error) !== 'RESTORE_NO_BACKUPS') throw error
    logger.info({ replica: client.url }, 'replica is empty, nothing to restore')
    return false
  }
}
