import type { Command } from 'commander'
import { EXIT_CODE_HELP } from './exit-codes.ts'

/** Command lines with what they do, as the end of a help text. */
export function examples(list: readonly (readonly [commandLine: string, meaning: string])[]): string {
  const lines = list.map(([commandLine, meaning]) => `  ${commandLine}\n      ${meaning}`)
  return `\nExamples:\n${lines.join('\n')}`
}

/** Ends the help of a verb with examples and the exit codes. */
export function addHelpEnd(
  command: Command,
  list: readonly (readonly [commandLine: string, meaning: string])[],
): Command {
  return command.addHelpText('after', `${examples(list)}\n\n${EXIT_CODE_HELP}`)
}

/** The two flags of every verb that reads the configuration. */
export function addConfigFlags(command: Command): Command {
  return command
    .option(
      '--config <path>',
      'configuration file (default: $REPLICATE_CONFIG, $LITESTREAM_CONFIG, or /etc/replicate.yml)',
    )
    .option('--no-expand-env', 'leave $NAME in the configuration as it is')
}

/** Values of the flags of {@link addConfigFlags}. */
export interface ConfigFlags {
  config?: string
  /** commander names a `--no-…` flag after what it switches off. */
  expandEnv: boolean
}
