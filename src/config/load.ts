import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { codeOf, messageOf } from '../error-fields.ts'
import { checkConfig } from './check.ts'
import type { Config, DatabaseConfig } from './config.ts'
import { ConfigDocument } from './document.ts'
import { ConfigError } from './errors.ts'
import { resolveDatabasePath } from './paths.ts'

/** Read when neither the command line nor the environment names a file. */
export const DEFAULT_CONFIG_FILE = '/etc/replicate.yml'

/** Which file to read and how. */
export interface LoadConfigOptions {
  /** The file of `-config`. */
  file?: string | undefined
  /** Whether `$NAME` in the file stands for a variable. */
  expandEnv: boolean
  env: Readonly<Record<string, string | undefined>>
}

/** The file that {@link loadConfig} reads: the given one, REPLICATE_CONFIG, LITESTREAM_CONFIG, or the default. */
export function findConfigFile(options: Pick<LoadConfigOptions, 'file' | 'env'>): string {
  const { file, env } = options
  return file ?? (env['REPLICATE_CONFIG'] || env['LITESTREAM_CONFIG'] || DEFAULT_CONFIG_FILE)
}

/** Reads and checks a configuration file. Throws {@link ConfigError}; the first fault found ends it. */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const file = findConfigFile(options)
  return parseConfig(file, await readConfigFile(file), options)
}

/** Checks the text of a configuration file that the caller has read. `file` is for messages. */
export function parseConfig(
  file: string,
  text: string,
  options: Pick<LoadConfigOptions, 'expandEnv' | 'env'>,
): Config {
  const document = new ConfigDocument(file, text)
  if (options.expandEnv) document.expand({ PID: String(process.pid), ...options.env })
  return checkConfig(document)
}

/** The database of a configuration at `path`, which may be relative. Throws CONFIG_NO_SUCH_DATABASE. */
export function findDatabase(config: Config, path: string): DatabaseConfig {
  const wanted = resolveDatabasePath(path)
  const database = config.dbs.find((candidate) => candidate.path === wanted)
  if (database !== undefined) return database
  throw new ConfigError('CONFIG_NO_SUCH_DATABASE', `database is not in ${config.file}: ${wanted}`, {
    hint: config.dbs.length === 1 ? config.dbs[0]?.path : 'replicate databases shows the configured ones',
  })
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return await readFile(resolve(file), 'utf8')
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT'
    if (isMissing) {
      throw new ConfigError('CONFIG_NOT_FOUND', `configuration file not found: ${file}`, {
        hint: 'name one with -config or REPLICATE_CONFIG, or give the database and the replica URL',
        cause: error,
      })
    }
    throw new ConfigError(
      'CONFIG_UNREADABLE',
      `configuration file cannot be read: ${file}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}
