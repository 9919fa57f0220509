import { expect, test } from 'vitest'
import { restoreAroundLockPage } from '../../../src/restore/lock-page-ground.ts'

test.each([512, 1024, 2048, 4096, 8192, 16384, 32768, 65536])(
  'the lock page at 1 GiB is zeros and takes its place, at page size %i',
  async (pageSize) => {
    const { bytes, expected } = await restoreAroundLockPage(pageSize)
    expect(bytes.equals(expected)).toBe(true)
  },
  600_000,
)
