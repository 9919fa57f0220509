import { statSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { ReplicaError } from './errors.ts'
import { fileLayout } from './layout.ts'
import { ObjectReplicaClient } from './object-replica-client.ts'
import { FileObjectStore, type FileObjectStoreOptions } from './objects/file-store.ts'
import type { ReplicaClient } from './replica-client.ts'

/** Options of a file replica: those of its store. */
export type FileReplicaOptions = Omit<FileObjectStoreOptions, 'root'>

function notAFolder(path: string, cause?: unknown): ReplicaError {
  return new ReplicaError('REPLICA_NOT_A_FOLDER', `replica is a file, not a folder: ${path}`, {
    hint: 'name the folder of the replica, not a file',
    url: `file://${path}`,
    path,
    ...(cause !== undefined && { cause }),
  })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') throw notAFolder(path, error)
    // Absent is fine; what else is wrong is said by the first use, with what it was for.
    if (codeOf(error) !== undefined) return undefined
    throw error
  }
}

/**
 * A replica in a folder of a local disk, in Litestream 0.5's layout. Makes nothing before the first write: reading from
 * a wrong path leaves no trace.
 *
 * Errors: `REPLICA_NOT_A_FOLDER`.
 */
export async function openFileReplica(
  path: string,
  options: FileReplicaOptions = {},
): Promise<ReplicaClient> {
  const root = resolve(path)
  if (look(root)?.isDirectory() === false) throw notAFolder(root)
  return new ObjectReplicaClient({
    store: new FileObjectStore({ ...options, root }),
    layout: fileLayout,
    url: `file://${root}`,
  })
}
