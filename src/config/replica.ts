import { nearestName } from '../nearest-name.ts'
import type { ConfigDocument } from './document.ts'
import { ConfigError, type ConfigErrorCode } from './errors.ts'
import { MISSING_REPLICA_TYPES } from './keys.ts'
import { resolvePath } from './paths.ts'
import type { ConfigPath, ParsedReplica } from './schema.ts'

/** The URL, or the absolute path, of the folder of a replica section. Throws {@link ConfigError}. */
export function checkReplica(document: ConfigDocument, replica: ParsedReplica, at: ConfigPath): string {
  const fail = (code: ConfigErrorCode, key: string, message: string, hint?: string): ConfigError => {
    const position = key === '' ? document.positionOfValue(at) : document.positionOfValue([...at, key])
    return new ConfigError(code, `${message}: ${document.at(position)}`, { position, hint })
  }
  const scheme = replica.url === undefined ? undefined : schemeOf(replica.url)
  if (replica.url !== undefined && scheme === undefined) {
    throw fail(
      'CONFIG_INVALID',
      'url',
      `replica URL without a scheme: ${replica.url}`,
      `file://${resolvePath(replica.url)}`,
    )
  }
  checkType(replica.type, 'type', fail)
  checkType(scheme, 'url', fail)
  if (replica.url !== undefined) {
    if (replica.path !== undefined)
      throw fail('CONFIG_INVALID', 'path', 'both url and path of a replica', 'keep url')
    return replica.url
  }
  if (replica.path === undefined) {
    throw fail('CONFIG_INVALID', '', 'replica without url or path', 'url: file:///path/to/folder')
  }
  return resolvePath(replica.path)
}

type Fail = (code: ConfigErrorCode, key: string, message: string, hint?: string) => ConfigError

function checkType(type: string | undefined, key: string, fail: Fail): void {
  if (type === undefined || type === 'file') return
  if (MISSING_REPLICA_TYPES.includes(type)) {
    throw fail(
      'CONFIG_NOT_SUPPORTED',
      key,
      `replica type is not in this version: ${type}`,
      'use a file replica',
    )
  }
  throw fail(
    'CONFIG_INVALID',
    key,
    `unknown replica type: ${type}`,
    nearestName(type, ['file', ...MISSING_REPLICA_TYPES]),
  )
}

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
}
