// Writes one object without end, and says when half of it is on disk.
import { FileObjectStore } from '../../../replica/objects/file-store.ts'

const [, , root = '', key = '', condition = ''] = process.argv

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let i = 0; ; i++) {
    yield new Uint8Array(64 * 1024)
    if (i === 8) process.send?.('half')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

await new FileObjectStore({ root }).put(key, endless(), condition === 'new' ? { ifNoneMatch: '*' } : {})
