import { Command } from 'commander'
import { version } from '../version.ts'
import { addDatabasesCommand } from './commands/databases.ts'
import { addLTXCommand } from './commands/ltx.ts'
import { addReplicateCommand } from './commands/replicate.ts'
import { addResetCommand } from './commands/reset.ts'
import { addRestoreCommand } from './commands/restore.ts'
import { addStatusCommand } from './commands/status.ts'
import { addVersionCommand } from './commands/version.ts'
import type { CommandContext } from './context.ts'
import { examples } from './help.ts'

/** The command line as commander knows it: every verb with its flags and its help. Nothing runs yet. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('replicate')
    .summary('continuous replication and point-in-time restore for SQLite databases')
    .description('Continuous replication and point-in-time restore for SQLite databases.')
    .usage('COMMAND [FLAGS] [ARGUMENTS]')
    .version(version, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print help and exit')
    .helpCommand('help [command]', 'print the help of a command')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
    })
  const verbs = [
    addReplicateCommand,
    addRestoreCommand,
    addLTXCommand,
    addDatabasesCommand,
    addStatusCommand,
    addResetCommand,
    addVersionCommand,
  ]
  for (const addVerb of verbs) addVerb(program, context)
  program.addHelpText(
    'after',
    examples([
      ['replicate replicate app.db file:///backup/app', 'replicate a database until told to stop'],
      ['replicate restore -o restored.db file:///backup/app', 'restore it'],
    ]) + '\n\nFlags may be written -flag or --flag, before or after the arguments.',
  )
  return program
}
