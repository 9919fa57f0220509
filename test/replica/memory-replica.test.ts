import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { openMemoryReplica } from '../../replica/index.ts'
import { filesOf, makeLTX, single, testReplicaClient, TIME_MS } from '../conformance/replica-client.ts'

testReplicaClient('memory', {
  create: () => openMemoryReplica(randomUUID()),
  supports: { timeInListing: true },
})

test('the same name gives the same files, also after one client is closed', async () => {
  const name = randomUUID()
  const writer = await openMemoryReplica(name)
  await writer.writeLTXFile(single(1n), makeLTX(1n, 1n), { timestampMs: TIME_MS })
  await writer.close()
  expect(await filesOf(await openMemoryReplica(name), 0)).toHaveLength(1)
  expect(await filesOf(await openMemoryReplica(randomUUID()), 0)).toEqual([])
})
