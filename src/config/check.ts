import type { z } from 'zod'
import { nearestName } from '../nearest-name.ts'
import type { Config, DatabaseConfig } from './config.ts'
import type { ConfigDocument } from './document.ts'
import { ConfigError, type ConfigErrorCode } from './errors.ts'
import { IGNORED_DATABASE_KEYS, IGNORED_REPLICA_KEYS, IGNORED_TOP_KEYS, REFUSED_KEYS } from './keys.ts'
import { resolveDatabasePath } from './paths.ts'
import { checkReplica } from './replica.ts'
import {
  type ConfigPath,
  configSchema,
  knownKeysAt,
  type ParsedConfig,
  type ParsedDatabase,
  type ParsedReplica,
} from './schema.ts'

/** Checks a document against the schema and the rules between keys. Throws {@link ConfigError} at the first fault. */
export function checkConfig(document: ConfigDocument): Config {
  const value = document.toValue()
  if (value === null || value === undefined) throw noDatabases(document)
  const parsed = configSchema.safeParse(value)
  if (!parsed.success) throw issueError(document, parsed.error.issues)
  const warnings = [...checkKeys(document, value)]
  const dbs = (parsed.data.dbs ?? []).map((database, index) => {
    return checkDatabase(document, parsed.data, database, index)
  })
  if (dbs.length === 0) throw noDatabases(document)
  checkDistinct(document, dbs)
  const { level, type } = parsed.data.logging ?? {}
  const logging = { ...(level === undefined ? {} : { level }), ...(type === undefined ? {} : { type }) }
  return { file: document.file, dbs, logging, warnings }
}

function noDatabases(document: ConfigDocument): ConfigError {
  return new ConfigError('CONFIG_INVALID', `no databases: ${document.file}`, {
    hint: 'list them under dbs, each with a path and a replica',
  })
}

function issueError(document: ConfigDocument, issues: readonly z.core.$ZodIssue[]): ConfigError {
  const unknownKey = issues.find((issue) => issue.code === 'unrecognized_keys')
  if (unknownKey !== undefined) return unknownKeyError(document, unknownKey.path, unknownKey.keys[0] ?? '')
  const [issue] = issues
  const path = issue?.path ?? []
  const message = `${formatPath(path)}: ${issue?.message ?? 'not valid'}`
  const hint = issue?.message.includes('duration')
    ? 'a number with a unit, such as 500ms, 10s or 1m30s'
    : undefined
  return errorAt(document, 'CONFIG_INVALID', message, path, hint)
}

function unknownKeyError(document: ConfigDocument, path: ConfigPath, key: string): ConfigError {
  const position = document.positionOfKey(path, key)
  const known = knownKeysAt(path)
  return new ConfigError('CONFIG_UNKNOWN_KEY', `unknown key: ${key}: ${document.at(position)}`, {
    position,
    hint: nearestName(key, known),
  })
}

/** Refuses the keys that must not be ignored, and yields a warning for each that is. */
function* checkKeys(document: ConfigDocument, top: unknown): Generator<string> {
  yield* checkKeysAt(document, [], top, IGNORED_TOP_KEYS)
  yield* checkKeysAt(document, ['logging'], member(top, 'logging'), ['source'])
  for (const [index, database] of elements(member(top, 'dbs'))) {
    yield* checkKeysAt(document, ['dbs', index], database, IGNORED_DATABASE_KEYS)
    yield* checkKeysAt(document, ['dbs', index, 'replica'], member(database, 'replica'), IGNORED_REPLICA_KEYS)
    for (const [place, replica] of elements(member(database, 'replicas'))) {
      yield* checkKeysAt(document, ['dbs', index, 'replicas', place], replica, IGNORED_REPLICA_KEYS)
    }
  }
}

function member(section: unknown, key: string): unknown {
  return typeof section === 'object' && section !== null ? Reflect.get(section, key) : undefined
}

function elements(list: unknown): Iterable<[number, unknown]> {
  return Array.isArray(list) ? list.entries() : []
}

function* checkKeysAt(
  document: ConfigDocument,
  path: ConfigPath,
  section: unknown,
  ignored: readonly string[],
): Generator<string> {
  for (const [key, value] of Object.entries(section ?? {})) {
    if (isAskedFor(value) && REFUSED_KEYS[key] !== undefined) {
      const position = document.positionOfKey(path, key)
      throw new ConfigError('CONFIG_NOT_SUPPORTED', `not in this version: ${key}: ${document.at(position)}`, {
        position,
        hint: REFUSED_KEYS[key],
      })
    }
    if (ignored.includes(key)) yield `${key} has no effect: ${document.at(document.positionOfKey(path, key))}`
  }
}

/** Whether a value asks for anything: `watch: false`, `exec: ""` and empty lists of age keys do not. */
function isAskedFor(value: unknown): boolean {
  if (value === null || value === false || value === '') return false
  return typeof value !== 'object' || Object.values(value).some(isAskedFor)
}

function checkDatabase(
  document: ConfigDocument,
  top: ParsedConfig,
  database: ParsedDatabase,
  index: number,
): DatabaseConfig {
  const at: ConfigPath = ['dbs', index]
  if (database.path === undefined)
    throw errorAt(document, 'CONFIG_INVALID', `${formatPath(at)}: path is missing`, at)
  const { replica, path } = replicaOf(document, database, at)
  return {
    path: resolveDatabasePath(database.path),
    restoreIfMissing: database['restore-if-db-not-exists'] ?? false,
    ...optional('monitorIntervalMs', database['monitor-interval']),
    ...optional('checkpointPages', database['min-checkpoint-page-count']),
    ...optional('busyTimeoutMs', database['busy-timeout']),
    replica: {
      url: checkReplica(document, replica, path),
      ...optional('syncIntervalMs', replica['sync-interval'] ?? top['sync-interval']),
      ...optional('payload', replica['ltx-pages'] ?? top['ltx-pages']),
    },
  }
}

function replicaOf(
  document: ConfigDocument,
  database: ParsedDatabase,
  at: ConfigPath,
): { replica: ParsedReplica; path: ConfigPath } {
  const { replica, replicas } = database
  if (replica !== undefined && replicas !== undefined) {
    throw errorAt(document, 'CONFIG_INVALID', `${formatPath(at)}: both replica and replicas`, [
      ...at,
      'replicas',
    ])
  }
  if (replica !== undefined) return { replica, path: [...at, 'replica'] }
  const [only] = replicas ?? []
  if (only === undefined)
    throw errorAt(document, 'CONFIG_INVALID', `${formatPath(at)}: replica is missing`, at)
  if (replicas !== undefined && replicas.length > 1) {
    const message = `${formatPath(at)}: more than one replica`
    throw errorAt(document, 'CONFIG_NOT_SUPPORTED', message, [...at, 'replicas', 1], 'keep one of them')
  }
  return { replica: only, path: [...at, 'replicas', 0] }
}

/** Two databases in one replica, or one database twice, would overwrite each other's files. */
function checkDistinct(document: ConfigDocument, dbs: readonly DatabaseConfig[]): void {
  for (const [index, database] of dbs.entries()) {
    const earlier = dbs.slice(0, index)
    if (earlier.some((other) => other.path === database.path)) {
      throw errorAt(document, 'CONFIG_INVALID', `database twice: ${database.path}`, ['dbs', index, 'path'])
    }
    if (earlier.some((other) => other.replica.url === database.replica.url)) {
      const message = `replica of two databases: ${database.replica.url}`
      const key = database.replica.url
      throw errorAt(
        document,
        'CONFIG_INVALID',
        message,
        ['dbs', index],
        `give ${database.path} a folder of its own, such as ${key}-2`,
      )
    }
  }
}

function errorAt(
  document: ConfigDocument,
  code: ConfigErrorCode,
  message: string,
  path: ConfigPath,
  hint?: string,
): ConfigError {
  const position = document.positionOfValue(path)
  return new ConfigError(code, `${message}: ${document.at(position)}`, { position, hint })
}

/** `dbs[0].replica.url` */
function formatPath(path: ConfigPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? String(step) : `.${String(step)}`
  }
  return text === '' ? 'configuration' : text
}

/** `value` unless it is undefined, so that an unset key is absent and does not hide a default. */
function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  const result: Partial<Record<K, V>> = {}
  if (value !== undefined) result[key] = value
  return result
}
