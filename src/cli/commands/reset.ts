import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { resolveDatabasePath } from '../../config/paths.ts'
import { DatabaseError } from '../../database-error.ts'
import type { CommandContext } from '../context.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'

interface ResetFlags extends ConfigFlags {
  dryRun?: true
}

/** `replicate reset` */
export function addResetCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('reset')
    .summary('forget the local state of a database')
    .description(
      'Removes the local replication state of a database. The database and its replica are not touched; the next\n' +
        'start continues the chain of the replica with a full snapshot.',
    )
    .argument('<DB_PATH>', 'the database; needs no configuration')
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .action(async (path: string, flags: ResetFlags) => resetDatabase(path, flags, context))
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate reset app.db', 'forget the state, after the replica went on without this host'],
    ['replicate reset -dry-run app.db', 'see which folder that is'],
  ])
}

async function resetDatabase(argument: string, flags: ResetFlags, context: CommandContext): Promise<void> {
  const path = await findPath(argument, flags, context)
  const { removeLocalState, stateFolderOf } = await import('../../state/state-folder.ts')
  const stateFolder = stateFolderOf(path)
  if (!existsSync(stateFolder)) {
    if (!existsSync(path)) throw new DatabaseError('DB_NOT_FOUND', path, `database not found: ${path}`)
    context.stdout.write(`nothing to remove: ${stateFolder}\n`)
    return
  }
  const { ProcessLock } = await import('../../state/process-lock.ts')
  const lock = ProcessLock.acquire(stateFolder)
  if (lock === undefined) {
    throw new DatabaseError('DB_LOCKED_BY_REPLICATOR', path, `database is being replicated: ${path}`, {
      hint: 'stop the replicator first',
    })
  }
  try {
    if (flags.dryRun) {
      context.stdout.write(`would remove: ${stateFolder}\n`)
      return
    }
    await removeLocalState(stateFolder)
    context.stdout.write(`removed: ${stateFolder}\n`)
  } finally {
    lock.release()
  }
}

async function findPath(argument: string, flags: ResetFlags, context: CommandContext): Promise<string> {
  if (flags.config === undefined) return resolveDatabasePath(argument)
  const { findDatabase, loadConfig } = await import('../../config/load.ts')
  const config = await loadConfig({ file: flags.config, expandEnv: flags.expandEnv, env: context.env })
  return findDatabase(config, argument).path
}
