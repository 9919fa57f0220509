import type { Command } from 'commander'
import { version } from '../../version.ts'
import type { CommandContext } from '../context.ts'
import { addHelpEnd } from '../help.ts'

/** `replicate version` */
export function addVersionCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('version')
    .summary('print the version')
    .description('Prints the version of sqlite-replicate.')
    .option('--verbose', 'print the versions of Node.js and SQLite and the platform too')
    .action(async (flags: { verbose?: true }) => {
      context.stdout.write(flags.verbose ? await describeVersions() : `${version}\n`)
    })
  addHelpEnd(command, [
    ['replicate version', 'print the version alone'],
    ['replicate version -verbose', 'print all that a bug report needs'],
  ])
}

async function describeVersions(): Promise<string> {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(':memory:')
  const sqlite = String(database.prepare('SELECT sqlite_version()').pluck().get())
  database.close()
  return [
    `sqlite-replicate ${version}`,
    `node ${process.versions.node}`,
    `sqlite ${sqlite}`,
    `platform ${process.platform}/${process.arch}`,
    '',
  ].join('\n')
}
