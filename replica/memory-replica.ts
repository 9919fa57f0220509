import { fileLayout } from './layout.ts'
import { ObjectReplicaClient } from './object-replica-client.ts'
import { MemoryObjectStore, type MemoryObjects } from './objects/memory-store.ts'
import type { ReplicaClient } from './replica-client.ts'

const replicas = new Map<string, MemoryObjects>()

/**
 * A replica in this process's memory, for tests: the same name gives the same files, as long as the process (and in it
 * the thread) lives. `deleteAll` empties it.
 */
export async function openMemoryReplica(name: string): Promise<ReplicaClient> {
  const objects: MemoryObjects = replicas.get(name) ?? new Map()
  replicas.set(name, objects)
  return new ObjectReplicaClient({
    store: new MemoryObjectStore({ objects }),
    layout: fileLayout,
    url: `memory:${name}`,
  })
}
