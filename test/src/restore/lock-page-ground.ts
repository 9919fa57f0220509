import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lockPgno } from '../../../ltx/index.ts'
import { restore } from '../../../src/restore/index.ts'
import { page, pages, SyntheticReplica, testFolder } from './restore-ground.ts'

/**
 * Restores a database that ends before the lock page, then at it, then two pages beyond; all zeros but those two.
 * Returns the four pages around the lock page as they are and as they should be.
 */
export async function restoreAroundLockPage(pageSize: number): Promise<{ bytes: Buffer; expected: Buffer }> {
  const lock = lockPgno(pageSize)
  const replica = new SyntheticReplica()
    .add({ level: 9, min: 1, max: 1, pageSize, commit: lock - 1, pages: zeroPages(pageSize, lock - 1) })
    .add({ min: 2, max: 2, pageSize, commit: lock, pages: [] })
    .add({ min: 3, max: 3, pageSize, commit: lock + 2, pages: pages(pageSize, lock + 1, lock + 2, 3) })
  await using client = await replica.open()
  const outputPath = join(testFolder(), 'out.db')
  const result = await restore({ client, outputPath })
  const sizeBytes = (lock + 2) * pageSize
  if (result.sizeBytes !== sizeBytes || statSync(outputPath).size !== sizeBytes) throw new Error('wrong size')
  const bytes = Buffer.alloc(4 * pageSize, 0xff)
  const fd = openSync(outputPath, 'r')
  readSync(fd, bytes, 0, bytes.length, (lock - 2) * pageSize)
  closeSync(fd)
  const zeros = Buffer.alloc(2 * pageSize)
  return {
    bytes,
    expected: Buffer.concat([zeros, page(pageSize, lock + 1, 3), page(pageSize, lock + 2, 3)]),
  }
}

function* zeroPages(pageSize: number, commit: number): Generator<[number, Uint8Array]> {
  const zeros = new Uint8Array(pageSize)
  for (let pgno = 1; pgno <= commit; pgno++) yield [pgno, zeros]
}
