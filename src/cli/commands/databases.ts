import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { writeJSON } from '../context.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'
import { formatTable } from '../table.ts'

/** `replicate databases` */
export function addDatabasesCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('databases')
    .summary('list the databases of the configuration')
    .description('Lists the databases of the configuration and where each is replicated to.')
    .option('--json', 'print a JSON array')
    .action(async (flags: ConfigFlags & { json?: true }) => listDatabases(flags, context))
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate databases', 'list the databases of the default configuration'],
    ['replicate databases -config replicate.yml -json', 'the same of another one, as JSON'],
  ])
}

async function listDatabases(flags: ConfigFlags & { json?: true }, context: CommandContext): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts')
  const config = await loadConfig({ file: flags.config, expandEnv: flags.expandEnv, env: context.env })
  const databases = config.dbs.map(({ path, replica }) => {
    return { path, ...describeReplica(replica.url) }
  })
  if (flags.json) return writeJSON(context, databases)
  const rows = databases.map(({ path, replica, url }) => [path, replica, url])
  context.stdout.write(formatTable(['path', 'replica', 'url'], rows))
}

/** A replica may be given as the path of its folder. */
function describeReplica(url: string): { replica: string; url: string } {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]
  return scheme === undefined
    ? { replica: 'file', url: `file://${url}` }
    : { replica: scheme.toLowerCase(), url }
}
