import type { Command } from 'commander'
import { formatLTXFileName, formatTXID } from '../../../ltx/index.ts'
import type { ReplicaClient } from '../../../replica/index.ts'
import { resolvePath } from '../../config/paths.ts'
import { codeOf } from '../../error-fields.ts'
import type { RestoreOptions, RestoreResult } from '../../restore/index.ts'
import type { CommandContext } from '../context.ts'
import { writeJSON } from '../context.ts'
import { CLIError, usageError } from '../errors.ts'
import { parseChoiceFlag, parseNumberFlag, parseTimestampFlag, parseTXIDFlag } from '../flag-values.ts'
import { addConfigFlags, addHelpEnd, type ConfigFlags } from '../help.ts'
import { ProgressBar } from '../progress.ts'
import { findReplica, withReplica } from '../source.ts'
import { asStopRequest, listenForStop } from '../stop-signals.ts'
import { formatBytes, formatTable, formatTimestamp } from '../table.ts'

const INTEGRITY_CHECKS = ['none', 'quick', 'full'] as const
const MOST_PARALLEL = 256

interface RestoreFlags extends ConfigFlags {
  o?: string
  txid?: string
  timestamp?: string
  integrityCheck: string
  ifDbNotExists?: true
  ifReplicaExists?: true
  force?: true
  dryRun?: true
  parallelism: string
  json?: true
}

/** `replicate restore` */
export function addRestoreCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('restore')
    .summary('restore a database from its replica')
    .description(
      'Restores a database from its replica: the newest transaction, or the state at a TXID or a time. The output\n' +
        'appears when it is complete and checked, or not at all.',
    )
    .argument('<DB_PATH|REPLICA_URL>', 'a database of the configuration, or the URL of a replica')
    .option('-o <path>', 'file to restore to; needed with a URL (default: DB_PATH)')
    .option('--txid <txid>', 'restore up to this transaction, 16 hexadecimal digits (default: the newest)')
    .option('--timestamp <time>', 'restore the state at this time, RFC 3339 (default: the newest)')
    .option('--integrity-check <kind>', 'have SQLite check the output: none, quick or full', 'none')
    .option('--if-db-not-exists', 'exit with 0 and do nothing if the output exists already')
    .option('--if-replica-exists', 'exit with 0 and do nothing if the replica is empty')
    .option('--force', 'replace an existing output')
    .option('--dry-run', 'print the files that would be used, and restore nothing')
    .option('--parallelism <count>', 'files read at the same time', '8')
    .option('--json', 'print the outcome as a JSON object')
    .action(async (source: string, flags: RestoreFlags) => runRestore(source, flags, context))
  addConfigFlags(command)
  addHelpEnd(command, [
    ['replicate restore -o restored.db file:///backup/app', 'restore the newest state of a replica'],
    [
      'replicate restore -timestamp 2026-11-20T18:30:00Z -o restored.db app.db',
      'a configured database, as it was at a time',
    ],
  ])
}

async function runRestore(source: string, flags: RestoreFlags, context: CommandContext): Promise<void> {
  const target = parseTarget(flags)
  const { url, database } = await findReplica(source, flags, context)
  const outputPath = flags.o === undefined ? database?.path : resolvePath(flags.o)
  if (outputPath === undefined)
    throw usageError(`no output for the restore of a replica URL: ${source}`, '-o PATH')
  await withReplica(url, async (client) => {
    const result = await restoreWithProgress({ client, outputPath, ...target }, flags, context)
    if (result === undefined) return reportNothing(client, outputPath, 'the replica is empty', flags, context)
    if (result.skipped)
      return reportNothing(client, outputPath, 'the database exists already', flags, context)
    if (flags.dryRun) return reportPlan(result, client, outputPath, flags, context)
    reportResult(result, client, outputPath, flags, context)
  })
}

type Target = Omit<RestoreOptions, 'client' | 'outputPath'>

function parseTarget(flags: RestoreFlags): Target {
  const { txid, timestamp } = flags
  if (txid !== undefined && timestamp !== undefined)
    throw usageError('both -txid and -timestamp', 'leave one out')
  return {
    integrityCheck: parseChoiceFlag('integrity-check', flags.integrityCheck, INTEGRITY_CHECKS),
    parallelism: parseNumberFlag('parallelism', flags.parallelism, 1, MOST_PARALLEL),
    ifDbNotExists: flags.ifDbNotExists ?? false,
    force: flags.force ?? false,
    dryRun: flags.dryRun ?? false,
    ...(txid === undefined ? {} : { txid: parseTXIDFlag(txid) }),
    ...(timestamp === undefined ? {} : { timestampMs: parseTimestampFlag(timestamp) }),
  }
}

/** The result, or undefined for an empty replica that `-if-replica-exists` allows. */
async function restoreWithProgress(
  options: RestoreOptions,
  flags: RestoreFlags,
  context: CommandContext,
): Promise<RestoreResult | undefined> {
  const { restore } = await import('../../restore/index.ts')
  const bar = new ProgressBar(context)
  using signals = listenForStop()
  signals.stopNow.addEventListener('abort', () => process.exit(1), { once: true })
  try {
    return await restore({
      ...options,
      signal: signals.stop,
      onProgress: ({ bytesRead, bytesTotal }) => bar.update(bytesRead, bytesTotal),
    })
  } catch (error) {
    const request = asStopRequest(error)
    if (request !== undefined) {
      throw new CLIError('CLI_INTERRUPTED', `restore stopped by ${request.signal}: ${options.outputPath}`, {
        cause: error,
      })
    }
    if (codeOf(error) === 'RESTORE_NO_BACKUPS' && flags.ifReplicaExists) return undefined
    throw error
  } finally {
    bar.clear()
  }
}

function reportNothing(
  client: ReplicaClient,
  outputPath: string,
  reason: string,
  flags: RestoreFlags,
  context: CommandContext,
): void {
  context.stderr.write(`nothing restored, ${reason}: ${outputPath}\n`)
  if (flags.json) writeJSON(context, { db_path: outputPath, replica: client.type, skipped: true, reason })
}

function reportResult(
  result: RestoreResult,
  client: ReplicaClient,
  outputPath: string,
  flags: RestoreFlags,
  context: CommandContext,
): void {
  noteBeyondNewest(result, context)
  if (flags.json) {
    return writeJSON(context, {
      db_path: outputPath,
      replica: client.type,
      txid: formatTXID(result.txid),
      timestamp: formatTimestamp(result.timestampMs),
      size: result.sizeBytes,
      duration_ms: Math.round(result.durationMs),
      integrity_check: flags.integrityCheck,
    })
  }
  const facts = [
    `TXID ${formatTXID(result.txid)}`,
    formatTimestamp(result.timestampMs),
    formatBytes(result.sizeBytes),
    `${Math.round(result.durationMs)} ms`,
  ]
  context.stdout.write(`restored ${outputPath}: ${facts.join(', ')}\n`)
}

function reportPlan(
  result: RestoreResult,
  client: ReplicaClient,
  outputPath: string,
  flags: RestoreFlags,
  context: CommandContext,
): void {
  noteBeyondNewest(result, context)
  const files = result.files.map((file) => ({
    level: file.level,
    name: formatLTXFileName(file.minTXID, file.maxTXID),
    min_txid: formatTXID(file.minTXID),
    max_txid: formatTXID(file.maxTXID),
    size: file.sizeBytes,
    timestamp: formatTimestamp(file.createdAtMs),
  }))
  if (flags.json) {
    return writeJSON(context, {
      source: client.url,
      target_path: outputPath,
      replica: client.type,
      min_txid: files[0]?.min_txid,
      max_txid: formatTXID(result.txid),
      files,
    })
  }
  const rows = files.map((file) =>
    [file.level, file.min_txid, file.max_txid, file.size, file.timestamp].map(String),
  )
  context.stdout.write(`would restore ${outputPath}: TXID ${formatTXID(result.txid)} from ${client.url}\n`)
  context.stdout.write(formatTable(['level', 'min_txid', 'max_txid', 'size', 'created'], rows))
}

function noteBeyondNewest(result: RestoreResult, context: CommandContext): void {
  if (!result.beyondNewest) return
  const newest = formatTimestamp(result.timestampMs)
  context.stderr.write(`the time is after the newest transaction, which is from ${newest} and is used\n`)
}
