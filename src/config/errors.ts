/** Why a configuration is refused. */
export type ConfigErrorCode =
  /** No file at the path. Create it, or name another one with -config. */
  | 'CONFIG_NOT_FOUND'
  /** The file is there and cannot be read. */
  | 'CONFIG_UNREADABLE'
  /** Not YAML, or a key twice. */
  | 'CONFIG_SYNTAX'
  /** A key that means nothing. The hint has the nearest one that does. */
  | 'CONFIG_UNKNOWN_KEY'
  /** A value of the wrong kind or out of range, a missing one, or two that exclude each other. */
  | 'CONFIG_INVALID'
  /** A `$NAME` in the file is not in the environment. */
  | 'CONFIG_UNSET_VARIABLE'
  /** Right for Litestream, and not in this version: a replica type, or a key that cannot be ignored safely. */
  | 'CONFIG_NOT_SUPPORTED'
  /** The database is not in the configuration. */
  | 'CONFIG_NO_SUCH_DATABASE'

/** A place in a configuration file; line and column start at 1. */
export interface ConfigPosition {
  line: number
  column: number
}

/** A fault of the configuration. The message ends with `file:line:column` where the place is known. Match `code`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode
  readonly position?: ConfigPosition
  readonly hint?: string

  constructor(
    code: ConfigErrorCode,
    message: string,
    options: { hint?: string | undefined; position?: ConfigPosition | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    if (options.position !== undefined) this.position = options.position
    if (options.hint !== undefined) this.hint = options.hint
  }
}
