import { CommanderError } from 'commander'
import { hintOf, messageOf } from '../error-fields.ts'
import type { CommandContext } from './context.ts'
import { EXIT_OK, EXIT_USAGE, exitCodeOf } from './exit-codes.ts'

/**
 * Prints an error as `Error: …`, with a line `Try: …` when it has a hint, and returns the exit code for it.
 * `args` is the command line that ended with it.
 */
export function reportError(error: unknown, context: CommandContext, args: readonly string[]): number {
  if (error instanceof CommanderError) return reportCommanderError(error, context, args)
  context.stderr.write(`Error: ${oneLine(messageOf(error))}\n`)
  const hint = hintOf(error)
  if (hint !== undefined) context.stderr.write(`Try: ${oneLine(hint)}\n`)
  if (isVerbose(args) && error instanceof Error) context.stderr.write(`${describeChain(error)}\n`)
  return exitCodeOf(error)
}

/** commander throws to end the command after help and version too; those are no errors. */
function reportCommanderError(
  error: CommanderError,
  context: CommandContext,
  args: readonly string[],
): number {
  if (error.exitCode === 0) return EXIT_OK
  // Help that stands in for a missing command has been written already.
  if (error.code !== 'commander.help') {
    context.stderr.write(`Error: ${oneLine(error.message.replace(/^error: /, ''))}\n`)
    context.stderr.write(`Try: replicate ${args[0] ?? ''} --help\n`)
  }
  return EXIT_USAGE
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}

function describeChain(error: Error): string {
  const text = error.stack ?? error.message
  return error.cause instanceof Error ? `${text}\ncaused by ${describeChain(error.cause)}` : text
}

/** A command line can be wrong before its flags are known, so that the level is looked for as text. */
function isVerbose(args: readonly string[]): boolean {
  return /(^| )--?log-level[ =](debug|trace)( |$)/.test(args.join(' '))
}
