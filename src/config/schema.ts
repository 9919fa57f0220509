import { z } from 'zod'
import { LOG_LEVELS, LOG_TYPES } from '../logger.ts'
import { parseDuration } from './duration.ts'
import { IGNORED_DATABASE_KEYS, IGNORED_REPLICA_KEYS, IGNORED_TOP_KEYS, REFUSED_KEYS } from './keys.ts'

/** Bits of the schema: messages follow the house form, what failed and then the value. */
const text = z.string({ error: (issue) => `not a text: ${show(issue.input)}` }).min(1, { error: 'empty' })
const flag = z.boolean({ error: (issue) => `not true or false: ${show(issue.input)}` })
const count = z
  .number({ error: (issue) => `not a number: ${show(issue.input)}` })
  .int({ error: (issue) => `not a whole number: ${show(issue.input)}` })
  .min(1, { error: (issue) => `not at least 1: ${show(issue.input)}` })

const duration = z.unknown().transform((value, context) => {
  const durationMs = typeof value === 'string' ? parseDuration(value) : undefined
  if (durationMs !== undefined && durationMs > 0) return durationMs
  context.issues.push({ code: 'custom', input: value, message: durationMessage(value, durationMs) })
  return z.NEVER
})

function durationMessage(value: unknown, durationMs: number | undefined): string {
  if (durationMs === 0 || value === 0) return `not more than zero: ${show(value)}`
  if (typeof value === 'number') return `duration without a unit: ${value}`
  return `not a duration: ${show(value)}`
}

function oneOf<const T extends readonly string[]>(values: T): z.ZodType<T[number]> {
  return z.enum(values, { error: (issue) => `not one of ${values.join(', ')}: ${show(issue.input)}` })
}

function anything(keys: readonly string[]): Record<string, z.ZodType> {
  return Object.fromEntries(keys.map((key) => [key, z.unknown().optional()]))
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
}

const refusedKeys = anything(Object.keys(REFUSED_KEYS))
const mapping = { error: (issue: { input?: unknown }): string => `not a mapping: ${show(issue.input)}` }

const replicaSettings = {
  'sync-interval': duration.optional(),
  'ltx-pages': oneOf(['block', 'frame']).optional(),
}

const replicaShape = {
  ...anything(IGNORED_REPLICA_KEYS),
  ...refusedKeys,
  ...replicaSettings,
  type: text.optional(),
  path: text.optional(),
  url: text.optional(),
}

const replica = z.strictObject(replicaShape, withUnknownKeys(mapping))

const databaseShape = {
  ...anything(IGNORED_DATABASE_KEYS),
  ...refusedKeys,
  path: text.optional(),
  'restore-if-db-not-exists': flag.optional(),
  'monitor-interval': duration.optional(),
  'busy-timeout': duration.optional(),
  'min-checkpoint-page-count': count.optional(),
  replica: replica.optional(),
  replicas: z.array(replica, { error: (issue) => `not a list: ${show(issue.input)}` }).optional(),
}

const loggingShape = {
  level: oneOf(LOG_LEVELS).optional(),
  type: oneOf(LOG_TYPES).optional(),
  stderr: flag.optional(),
  source: z.unknown().optional(),
}

const topShape = {
  ...anything(IGNORED_TOP_KEYS),
  ...refusedKeys,
  ...replicaSettings,
  dbs: z
    .array(z.strictObject(databaseShape, withUnknownKeys(mapping)), {
      error: (issue) => `not a list: ${show(issue.input)}`,
    })
    .optional(),
  logging: z.strictObject(loggingShape, withUnknownKeys(mapping)).optional(),
}

function withUnknownKeys(params: typeof mapping): {
  error: (issue: z.core.$ZodRawIssue) => string | undefined
} {
  return { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : params.error(issue)) }
}

/** Checks the shape of a configuration and turns its durations into milliseconds. Keys stay as in the file. */
export const configSchema: z.ZodType<ParsedConfig> = z.strictObject(topShape, withUnknownKeys(mapping))

/** A replica as the schema leaves it. */
export interface ParsedReplica {
  type?: string | undefined
  path?: string | undefined
  url?: string | undefined
  'sync-interval'?: number | undefined
  'ltx-pages'?: 'block' | 'frame' | undefined
}

/** A database as the schema leaves it. */
export interface ParsedDatabase {
  path?: string | undefined
  'restore-if-db-not-exists'?: boolean | undefined
  'monitor-interval'?: number | undefined
  'busy-timeout'?: number | undefined
  'min-checkpoint-page-count'?: number | undefined
  replica?: ParsedReplica | undefined
  replicas?: ParsedReplica[] | undefined
}

/** A configuration as the schema leaves it. */
export interface ParsedConfig {
  'sync-interval'?: number | undefined
  'ltx-pages'?: 'block' | 'frame' | undefined
  dbs?: ParsedDatabase[] | undefined
  logging?:
    | { level?: (typeof LOG_LEVELS)[number] | undefined; type?: (typeof LOG_TYPES)[number] | undefined }
    | undefined
}

/** A place inside the configuration, from the top: keys and list positions. */
export type ConfigPath = readonly PropertyKey[]

/** The keys that mean something at a place of the configuration, without those that are only tolerated. */
export function knownKeysAt(path: ConfigPath): string[] {
  const shape = shapeAt(path)
  return Object.keys(shape)
}

function shapeAt(path: ConfigPath): object {
  if (path.length === 0) return topShape
  if (path[0] === 'logging') return loggingShape
  return path.length === 2 ? databaseShape : replicaShape
}
