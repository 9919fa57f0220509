import type { CommandContext } from './context.ts'
import { normalizeArguments } from './go-flags.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/** Runs one command line and returns its exit code. Errors are reported on stderr; none is thrown. */
export async function runCommandLine(
  args: readonly string[],
  io: Pick<CommandContext, 'stdout' | 'stderr' | 'env'>,
): Promise<number> {
  const context: CommandContext = { ...io, exitCode: 0 }
  try {
    const program = createProgram(context)
    await program.parseAsync(normalizeArguments(program, args), { from: 'user' })
    return context.exitCode
  } catch (error) {
    return reportError(error, context, args)
  }
}
