import type { WriteStream } from 'node:tty'

/** What a command talks to. stdout is data, stderr is everything else. */
export interface CommandContext {
  readonly stdout: WriteStream
  readonly stderr: WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Set by a command that ends without an error and yet not with 0. */
  exitCode: number
}

/** Whether to colour what goes to `stream`: `FORCE_COLOR` wins, then `NO_COLOR`, then whether it is a terminal. */
export function hasColor(stream: WriteStream, env: CommandContext['env']): boolean {
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return stream.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** Writes one JSON document for `--json`. */
export function writeJSON(context: CommandContext, document: unknown): void {
  context.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`)
}
