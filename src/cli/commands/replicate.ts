import type { Command } from 'commander'
import { resolveDatabasePath } from '../../config/paths.ts'
import type { DatabaseConfig } from '../../config/config.ts'
import {
  createLogger,
  LOG_LEVELS,
  LOG_TYPES,
  type Logger,
  type LogLevel,
  type LogType,
} from '../../logger.ts'
import type { CommandContext } from '../context.ts'
import { hasColor } from '../context.ts'
import { CLIError, usageError } from '../errors.ts'
import { EXIT_FAILED, exitCodeOf } from '../exit-codes.ts'
import { parseChoiceFlag } from '../flag-values.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'
import { asStopRequest, listenForStop } from '../stop-signals.ts'

interface ReplicateFlags extends ConfigFlags {
  once?: true
  restoreIfDbNotExists?: true
  logLevel?: string
}

/** `replicate replicate` */
export function addReplicateCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('replicate')
    .summary('replicate databases until told to stop')
    .description(
      'Replicates databases while applications write to them, until SIGINT or SIGTERM. Then everything committed so\n' +
        'far is captured and uploaded before the command ends; a second signal cuts that short. Logs go to stderr.',
    )
    .argument('[DB_PATH]', 'a database, instead of the configuration')
    .argument('[REPLICA_URL]', 'where to replicate it to, such as file:///backup/app')
    .option('--once', 'replicate what is committed now, and exit')
    .option('--restore-if-db-not-exists', 'restore a missing database from its replica first')
    .option('--log-level <level>', `least important line to log: ${LOG_LEVELS.join(', ')} (default: info)`)
    .action(async (path: string | undefined, url: string | undefined, flags: ReplicateFlags) => {
      await runReplicate(path, url, flags, context)
    })
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate replicate app.db file:///backup/app', 'replicate one database'],
    ['replicate replicate -config replicate.yml', 'replicate all databases of a configuration'],
  ])
}

interface Plan {
  targets: DatabaseConfig[]
  warnings: readonly string[]
  logging: { level?: LogLevel; type?: LogType }
}

async function runReplicate(
  path: string | undefined,
  url: string | undefined,
  flags: ReplicateFlags,
  context: CommandContext,
): Promise<void> {
  const level =
    flags.logLevel === undefined ? undefined : parseChoiceFlag('log-level', flags.logLevel, LOG_LEVELS)
  const plan = await makePlan(path, url, flags, context)
  const logger = createDaemonLogger(level, plan.logging, context)
  for (const warning of plan.warnings) logger.warn({}, warning)
  using signals = listenForStop()
  // The upload that cannot finish may be the reason for the second signal, so that nothing is waited for.
  signals.stopNow.addEventListener('abort', () => cutShort(logger), { once: true })
  const { replicateOnce, replicateUntilStopped } = await import('../../daemon/replicate.ts')
  const run = flags.once ? replicateOnce : replicateUntilStopped
  try {
    const failures = await run(plan.targets, { logger, signal: signals.stop })
    endWith(failures, plan.targets, context)
  } catch (error) {
    const request = asStopRequest(error)
    if (request === undefined) throw error
    throw new CLIError('CLI_INTERRUPTED', `stopped by ${request.signal} before everything was replicated`, {
      cause: error,
    })
  }
}

/** One database: its error is the command's. Several: each error has been logged, the worst one is the exit code. */
function endWith(
  failures: readonly unknown[],
  targets: readonly DatabaseConfig[],
  context: CommandContext,
): void {
  if (failures.length === 0) return
  if (targets.length === 1) throw failures[0]
  context.exitCode = Math.max(...failures.map(exitCodeOf))
}

function cutShort(logger: Logger): void {
  logger.error({}, 'second signal: stopped before everything was replicated')
  process.exit(EXIT_FAILED)
}

async function makePlan(
  path: string | undefined,
  url: string | undefined,
  flags: ReplicateFlags,
  context: CommandContext,
): Promise<Plan> {
  const restoreIfMissing = flags.restoreIfDbNotExists ?? false
  if (path !== undefined) {
    if (url === undefined) throw usageError(`no replica URL for the database: ${path}`, exampleCommand(path))
    if (flags.config !== undefined) throw usageError(`both a database and -config: ${path}`, 'leave one out')
    return {
      targets: [{ path: resolveDatabasePath(path), restoreIfMissing, replica: { url } }],
      warnings: [],
      logging: {},
    }
  }
  const { loadConfig } = await import('../../config/load.ts')
  const config = await loadConfig({ file: flags.config, expandEnv: flags.expandEnv, env: context.env })
  const targets = config.dbs.map((database) => {
    return { ...database, restoreIfMissing: database.restoreIfMissing || restoreIfMissing }
  })
  return { targets, warnings: config.warnings, logging: config.logging }
}

function exampleCommand(path: string): string {
  return `replicate replicate ${path} file:///path/to/folder`
}

function createDaemonLogger(
  level: LogLevel | undefined,
  logging: Plan['logging'],
  context: CommandContext,
): Logger {
  const { env, stderr } = context
  return createLogger({
    level: level ?? levelOf(env) ?? logging.level ?? 'info',
    type: logging.type ?? (stderr.isTTY ? 'pretty' : LOG_TYPES[0]),
    // journald adds the time itself.
    hasTime: env['JOURNAL_STREAM'] === undefined,
    hasColor: hasColor(stderr, env),
  })
}

/** LOG_LEVEL belongs to everyone on the machine: a level that is not one of ours is not an error. */
function levelOf(env: CommandContext['env']): LogLevel | undefined {
  const own = env['REPLICATE_LOG_LEVEL']
  if (own) return parseChoiceFlag('log-level', own, LOG_LEVELS)
  return LOG_LEVELS.find((level) => level === env['LOG_LEVEL']?.toLowerCase())
}
