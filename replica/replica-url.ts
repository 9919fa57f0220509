import { isAbsolute, posix } from 'node:path'
import { ReplicaError } from './errors.ts'
import { openFileReplica, type FileReplicaOptions } from './file-replica.ts'
import { openMemoryReplica } from './memory-replica.ts'
import { nearestName } from './nearest-name.ts'
import type { ReplicaClient } from './replica-client.ts'

export interface OpenReplicaOptions {
  /** For a file replica. */
  file?: FileReplicaOptions | undefined
}

type Opener = (rest: string, options: OpenReplicaOptions) => Promise<ReplicaClient>

const OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  ['file', (rest, options) => openFileReplica(pathOfFileURL(rest), options.file)],
  ['memory', (rest) => openMemoryReplica(nameOfMemoryURL(rest))],
])

/** Schemes that Litestream has. */
const NOT_YET = ['s3', 'gs', 'abs', 'sftp', 'nats', 'oss', 'webdav', 'webdavs']

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

/**
 * Opens the replica that a URL names; makes nothing there before the first write.
 *
 * - `file:///backups/app`, also `file:/backups/app`. As in Litestream, `file://a/b` is `/a/b`, what follows a `?` is
 *   ignored, and a `%` stands for itself: `%20` is three characters of the folder's name.
 * - a plain path, absolute or beginning with `./` or `../`, taken as it is
 * - `memory:name`, a replica of this process (`openMemoryReplica`)
 *
 * Errors: `REPLICA_UNKNOWN_SCHEME` with the nearest scheme in the hint, `REPLICA_UNSUPPORTED_SCHEME`,
 * `REPLICA_BAD_URL`, `REPLICA_NOT_A_FOLDER`. They name the scheme and the path at most: the rest may be secret.
 */
export async function openReplica(url: string, options: OpenReplicaOptions = {}): Promise<ReplicaClient> {
  if (url.includes('\0')) throw badURL('replica url has a NUL character')
  if (isAbsolute(url) || /^\.{1,2}(?:[/\\]|$)/.test(url)) {
    if (/^\/+$/.test(posix.normalize(url))) throw rootFolder()
    return openFileReplica(url, options.file)
  }
  const scheme = SCHEME.exec(url)?.[1]
  if (scheme === undefined) throw noScheme(url)
  const open = OPENERS.get(scheme.toLowerCase())
  if (open === undefined) throw wrongScheme(scheme.toLowerCase())
  return open(url.slice(scheme.length + 1), options)
}

function badURL(message: string, hint?: string): ReplicaError {
  return new ReplicaError('REPLICA_BAD_URL', message, { hint })
}

function rootFolder(): ReplicaError {
  return badURL('replica url names the root folder', 'name a folder of its own, such as file:///backups/app')
}

function noScheme(url: string): ReplicaError {
  if (url.trim() === '') return badURL('replica url is empty', 'name a folder, such as file:///backups/app')
  return badURL(
    'replica url has no scheme',
    'write ./ before the path of a folder, or name it as file:///backups/app',
  )
}

function wrongScheme(scheme: string): ReplicaError {
  if (NOT_YET.includes(scheme)) {
    return new ReplicaError(
      'REPLICA_UNSUPPORTED_SCHEME',
      `replicas of this kind are not supported yet: ${scheme}`,
      {
        hint: 'name a folder, such as file:///backups/app',
      },
    )
  }
  const schemes = [...OPENERS.keys(), ...NOT_YET]
  const nearest = nearestName(scheme, schemes)
  return new ReplicaError('REPLICA_UNKNOWN_SCHEME', `unknown scheme of a replica url: ${scheme}`, {
    hint: nearest === undefined ? 'name a folder, such as file:///backups/app' : `did you mean ${nearest}:?`,
  })
}

function pathOfFileURL(rest: string): string {
  const [place = ''] = rest.split('?', 1)
  if (/^\/\/\.{1,2}(?:\/|$)/.test(place)) {
    // Litestream takes these for folders below the root; nobody means that.
    throw badURL('file url is relative', 'write the path alone, beginning with ./ or ../, or an absolute url')
  }
  if (place === '' || place === '//')
    throw badURL('file url has no path', 'name a folder, such as file:///backups/app')
  if (!place.startsWith('/'))
    throw badURL('file url is relative', 'begin the path with /, as in file:///backups/app')
  const path = posix.normalize(place.startsWith('//') ? `/${place.slice(2)}` : place)
  if (/^\/+$/.test(path)) throw rootFolder()
  return path
}

function nameOfMemoryURL(rest: string): string {
  const name = rest.replace(/^\/\/+/, '')
  if (name === '') throw badURL('memory url has no name', 'give it one, as in memory:test')
  return name
}
