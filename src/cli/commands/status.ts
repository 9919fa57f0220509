import { realpath, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { formatTXID } from '../../../ltx/index.ts'
import { resolveDatabasePath } from '../../config/paths.ts'
import { codeOf, messageOf } from '../../error-fields.ts'
import type { CommandContext } from '../context.ts'
import { writeJSON } from '../context.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'
import { formatBytes, formatTable } from '../table.ts'

interface StatusFlags extends ConfigFlags {
  json?: true
}

/** What the files beside one database say. `error` is there with the status of that name. */
interface DatabaseStatus {
  database: string
  status: 'ok' | 'not initialized' | 'no database' | 'error'
  local_txid: string
  wal_size: string
  error?: string
}

/** `replicate status` */
export function addStatusCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('status')
    .summary('show what has been captured of each database')
    .description(
      'Shows the newest transaction captured of each database and the size of its WAL, from local files alone:\n' +
        'neither the replica nor a running replicator is asked. Without an argument: all of the configuration.',
    )
    .argument('[DB_PATH]', 'one database; needs no configuration')
    .option('--json', 'print a JSON array')
    .action(async (path: string | undefined, flags: StatusFlags) => showStatus(path, flags, context))
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate status', 'show all databases of the default configuration'],
    ['replicate status -json app.db', 'show one database, as JSON'],
  ])
}

async function showStatus(
  path: string | undefined,
  flags: StatusFlags,
  context: CommandContext,
): Promise<void> {
  const paths = await findPaths(path, flags, context)
  const statuses = await Promise.all(paths.map(readStatus))
  if (flags.json) return writeJSON(context, statuses)
  const rows = statuses.map(({ database, status, local_txid, wal_size }) => [
    database,
    status,
    local_txid,
    wal_size,
  ])
  context.stdout.write(formatTable(['database', 'status', 'local txid', 'wal size'], rows))
  for (const { database, error } of statuses) {
    if (error !== undefined) context.stderr.write(`${database}: ${error}\n`)
  }
}

async function findPaths(
  path: string | undefined,
  flags: StatusFlags,
  context: CommandContext,
): Promise<readonly string[]> {
  if (path !== undefined && flags.config === undefined) return [resolveDatabasePath(path)]
  const { findDatabase, loadConfig } = await import('../../config/load.ts')
  const config = await loadConfig({ file: flags.config, expandEnv: flags.expandEnv, env: context.env })
  return path === undefined ? config.dbs.map((database) => database.path) : [findDatabase(config, path).path]
}

async function readStatus(path: string): Promise<DatabaseStatus> {
  const { readLocalPosition, stateFolderOf } = await import('../../state/state-folder.ts')
  const status: DatabaseStatus = { database: path, status: 'no database', local_txid: '-', wal_size: '-' }
  try {
    const walBytes = await sizeOf(`${await realPathOf(path)}-wal`)
    if (walBytes !== undefined) status.wal_size = formatBytes(walBytes)
    const txid = await readLocalPosition(stateFolderOf(path))
    if (txid !== undefined) status.local_txid = formatTXID(txid)
    if ((await sizeOf(path)) !== undefined) status.status = txid === undefined ? 'not initialized' : 'ok'
    return status
  } catch (error) {
    return { ...status, status: 'error', error: messageOf(error) }
  }
}

/** SQLite names the WAL after the file that a symbolic link leads to. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path
    throw error
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
