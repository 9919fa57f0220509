import type { Command } from 'commander'
import { formatTXID } from '../../../ltx/index.ts'
import type { LTXFileInfo, ReplicaClient } from '../../../replica/index.ts'
import type { CommandContext } from '../context.ts'
import { writeJSON } from '../context.ts'
import { parseNumberFlag } from '../flag-values.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'
import { findReplica, withReplica } from '../source.ts'
import { formatTable, formatTimestamp } from '../table.ts'

const HIGHEST_LEVEL = 9

interface LTXFlags extends ConfigFlags {
  level: string
  json?: true
}

/** `replicate ltx` */
export function addLTXCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('ltx')
    .summary('list the LTX files of a replica')
    .description('Lists the LTX files of a replica, in the order of their transactions. Sizes are in bytes.')
    .argument('<DB_PATH|REPLICA_URL>', 'a database of the configuration, or the URL of a replica')
    .option('--level <0-9|all>', 'level to list; 9 holds the snapshots', '0')
    .option('--json', 'print a JSON array')
    .action(async (source: string, flags: LTXFlags) => listFiles(source, flags, context))
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate ltx app.db', 'list the newest transactions of a configured database'],
    ['replicate ltx -level all -json file:///backup/app', 'list every file of a replica, as JSON'],
  ])
}

async function listFiles(source: string, flags: LTXFlags, context: CommandContext): Promise<void> {
  const levels = parseLevels(flags.level)
  const { url } = await findReplica(source, flags, context)
  const files = await withReplica(url, (client) => collectFiles(client, levels))
  if (flags.json) return writeJSON(context, files.map(toJSON))
  const rows = files.map((file) => Object.values(toJSON(file)).map(String))
  context.stdout.write(formatTable(['level', 'min_txid', 'max_txid', 'size', 'created'], rows))
}

function parseLevels(text: string): number[] {
  if (text === 'all') return Array.from({ length: HIGHEST_LEVEL + 1 }, (_, level) => level)
  return [parseNumberFlag('level', text, 0, HIGHEST_LEVEL)]
}

async function collectFiles(client: ReplicaClient, levels: readonly number[]): Promise<LTXFileInfo[]> {
  const files: LTXFileInfo[] = []
  for (const level of levels) {
    for await (const file of client.ltxFiles(level, { accurateTime: true })) files.push(file)
  }
  return files
}

function toJSON(file: LTXFileInfo): object {
  return {
    level: file.level,
    min_txid: formatTXID(file.minTXID),
    max_txid: formatTXID(file.maxTXID),
    size: file.sizeBytes,
    timestamp: formatTimestamp(file.createdAtMs),
  }
}
