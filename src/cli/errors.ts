/** Why a command line is refused, or a command ended early. */
export type CLIErrorCode =
  /** Flags or arguments that make no sense, alone or together. */
  | 'CLI_USAGE'
  /** A signal ended a command before it was done. */
  | 'CLI_INTERRUPTED'

/** A fault of the command line. Match `code`. */
export class CLIError extends Error {
  override readonly name = 'CLIError'
  readonly code: CLIErrorCode
  readonly hint?: string

  constructor(
    code: CLIErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    if (options.hint !== undefined) this.hint = options.hint
  }
}

/** Wrong usage: exit code 2. */
export function usageError(message: string, hint?: string): CLIError {
  return new CLIError('CLI_USAGE', message, { hint })
}
