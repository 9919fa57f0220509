import { openReplica, type ReplicaClient, ReplicaError } from '../replica/index.ts'

/**
 * Opens a replica that outlives this process, as `openReplica` does. A `memory:` replica is for a program's own tests:
 * from a command it would be gone with the command, so it is refused with `REPLICA_UNSUPPORTED_SCHEME`.
 */
export async function openLastingReplica(url: string): Promise<ReplicaClient> {
  if (!/^memory:/i.test(url)) return openReplica(url)
  throw new ReplicaError('REPLICA_UNSUPPORTED_SCHEME', 'a replica in memory is gone when the command ends', {
    hint: 'name a folder, such as file:///backups/app',
  })
}
