import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { testObjectStore } from '../../conformance/object-store.ts'

const supports = {
  metadata: false,
  modifiedMs: true,
  nestedKeys: false,
  largeCompareAndSwap: false,
  listOrder: true,
}

testObjectStore('file', { create: async (root) => new FileObjectStore({ root }), supports })

testObjectStore('file without hard links', {
  create: async (root) => new FileObjectStore({ root, hardLinks: false }),
  supports,
})
