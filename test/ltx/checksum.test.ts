import { describe, expect, test } from 'vitest'
import { EMPTY_DATABASE_CHECKSUM, lockPgno, pageChecksum, RollingChecksum } from '../../ltx/index.ts'
import { fixture, jsonFixture, pageOf } from './files.ts'

interface Vectors {
  page: { pgno: number; pageSize: number; fill: number; checksum: string }[]
  emptyDatabaseChecksum: string
}

const vectors = jsonFixture('crc/vectors.json') as Vectors

describe('page checksum', () => {
  test.each(vectors.page)('of page $pgno, $pageSize bytes of $fill', ({ pgno, pageSize, fill, checksum }) => {
    expect(pageChecksum(pgno, new Uint8Array(pageSize).fill(fill))).toBe(BigInt(`0x${checksum}`))
  })
})

describe('rolling checksum', () => {
  test('of an empty database is the flag alone', () => {
    expect(new RollingChecksum().digest()).toBe(BigInt(`0x${vectors.emptyDatabaseChecksum}`))
    expect(EMPTY_DATABASE_CHECKSUM).toBe(0x8000000000000000n)
  })

  test('of a database that LiteFS kept is the one in its file', () => {
    const database = fixture('ltx/v1-litefs-database.bin')
    const { databaseChecksum } = jsonFixture('ltx/v1-litefs-000000000000000d.json') as {
      databaseChecksum: string
    }
    const rolling = new RollingChecksum()
    for (let pgno = 1; pgno * 4096 <= database.length; pgno++) {
      if (pgno === lockPgno(4096)) continue
      rolling.toggle(pgno, database.subarray((pgno - 1) * 4096, pgno * 4096))
    }
    expect(rolling.digest()).toBe(BigInt(`0x${databaseChecksum}`))
  })

  test('does not depend on the order, and takes a replaced page out', () => {
    const one = pageOf(1, 512)
    const two = pageOf(2, 512)
    const forth = new RollingChecksum().toggle(1, one).toggle(2, two).digest()
    expect(new RollingChecksum().toggle(2, two).toggle(1, one).digest()).toBe(forth)
    const other = pageOf(2, 512, 9)
    const replaced = new RollingChecksum(forth).toggle(2, two).toggle(2, other).digest()
    expect(replaced).toBe(new RollingChecksum().toggle(1, one).toggle(2, other).digest())
  })
})
