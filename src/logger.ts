import type { DestinationStream } from 'pino'
import pino from 'pino'
import pretty from 'pino-pretty'
import { codeOf, hintOf } from './error-fields.ts'
import { formatTextLine } from './log-text.ts'

/**
 * Where the parts of the daemon write what they do. The message is a fixed lower-case phrase, the values are in the
 * fields. Never given a secret.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger
}

/** Discards everything. What a library user gets who asks for nothing else. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

/** Least important line that is written, from all to few. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** `text`: `key=value` lines. `json`: one object per line. `pretty`: for a person at a terminal. */
export const LOG_TYPES = ['text', 'json', 'pretty'] as const
export type LogType = (typeof LOG_TYPES)[number]

/** What {@link createLogger} writes and where. */
export interface LoggerOptions {
  level: LogLevel
  type: LogType
  /** Descriptor to write to, in one blocking write per line, so that no line is lost when the process ends. Default 2. */
  fd?: number
  /** Whether a text line starts with the time. Default true. */
  hasTime?: boolean
  /** Whether pretty lines are coloured. Default false. */
  hasColor?: boolean
}

/** A logger of the daemon. An `err` field is reduced to its code and message; the stack is added at debug. */
export function createLogger(options: LoggerOptions): Logger {
  const isVerbose = options.level === 'debug' || options.level === 'trace'
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error, isVerbose) },
    },
    destinationOf(options),
  )
}

function destinationOf(options: LoggerOptions): DestinationStream {
  const fd = options.fd ?? 2
  if (options.type === 'pretty') {
    return pretty({
      destination: fd,
      sync: true,
      colorize: options.hasColor ?? false,
      translateTime: 'SYS:HH:MM:ss.l',
      singleLine: true,
    })
  }
  const destination = pino.destination({ fd, sync: true })
  if (options.type === 'json') return destination
  const hasTime = options.hasTime ?? true
  return { write: (line: string) => void destination.write(formatTextLine(line, hasTime)) }
}

function describeError(error: unknown, hasStack: boolean): object {
  if (!(error instanceof Error)) return { message: String(error) }
  return {
    message: error.message,
    code: codeOf(error),
    hint: hintOf(error),
    ...(hasStack ? { stack: error.stack } : {}),
  }
}
