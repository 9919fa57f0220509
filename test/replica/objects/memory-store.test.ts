import { expect, test } from 'vitest'
import { MemoryObjectStore, type MemoryObjects } from '../../../replica/objects/memory-store.ts'
import { testObjectStore } from '../../conformance/object-store.ts'

testObjectStore('memory', {
  create: async () => new MemoryObjectStore(),
  supports: {
    metadata: true,
    modifiedMs: true,
    nestedKeys: true,
    largeCompareAndSwap: true,
    listOrder: true,
  },
})

test('stores that share their objects see what the other wrote', async () => {
  const objects: MemoryObjects = new Map()
  await new MemoryObjectStore({ objects }).put('a', Buffer.from('1'))
  expect(await new MemoryObjectStore({ objects }).head('a')).toMatchObject({ sizeBytes: 1 })
})

test('objects carry the time of the clock that was given', async () => {
  const store = new MemoryObjectStore({ now: () => 1234 })
  expect(await store.put('a', Buffer.from('1'))).toMatchObject({ modifiedMs: 1234 })
})
