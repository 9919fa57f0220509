import type { ReplicaClient } from '../../replica/index.ts'
import { openLastingReplica } from '../lasting-replica.ts'
import type { DatabaseConfig } from '../config/config.ts'
import type { CommandContext } from './context.ts'
import { usageError } from './errors.ts'
import type { ConfigFlags } from './help.ts'

/** Where a command reads from: the replica of a configured database, or a replica named by its URL. */
export interface ReplicaSource {
  /** As `openReplica` takes it. */
  url: string
  /** The database of the configuration; undefined for a URL. */
  database?: DatabaseConfig
}

/** Whether an argument is a replica URL and no path. */
export function isReplicaURL(argument: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(argument) && !/^sqlite3?:/i.test(argument)
}

/** Finds the replica for `DB_PATH|REPLICA_URL`. Throws CLI_USAGE or a `ConfigError`. */
export async function findReplica(
  argument: string,
  flags: ConfigFlags,
  context: CommandContext,
): Promise<ReplicaSource> {
  if (isReplicaURL(argument)) {
    if (flags.config !== undefined)
      throw usageError(`both a replica URL and -config: ${argument}`, 'leave one out')
    return { url: argument }
  }
  const { findDatabase, loadConfig } = await import('../config/load.ts')
  const config = await loadConfig({ file: flags.config, expandEnv: flags.expandEnv, env: context.env })
  const database = findDatabase(config, argument)
  return { url: database.replica.url, database }
}

/** Opens the replica at `url`, passes it to `use`, and closes it however that ends. */
export async function withReplica<T>(url: string, use: (client: ReplicaClient) => Promise<T>): Promise<T> {
  const client = await openLastingReplica(url)
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
