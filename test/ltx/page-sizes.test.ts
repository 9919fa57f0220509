import Database from 'better-sqlite3'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HEADER_FLAG_NO_CHECKSUM, RollingChecksum } from '../../ltx/index.ts'
import { decode, encode, headerOf } from './files.ts'

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]

let folder: string
const databases = new Map<number, Buffer>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ltx-page-sizes-'))
  for (const pageSize of PAGE_SIZES) databases.set(pageSize, databaseOf(pageSize))
})

afterAll(() => rmSync(folder, { recursive: true }))

/** A database of SQLite's own making, as a file. */
function databaseOf(pageSize: number): Buffer {
  const path = join(folder, `${pageSize}.db`)
  const db = new Database(path)
  db.pragma(`page_size = ${pageSize}`)
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, noise BLOB)')
  db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO t SELECT i, printf('row %d', i), randomblob(i % 700) FROM n`)
  db.close()
  return readFileSync(path)
}

describe.each(PAGE_SIZES)('page size %i', (pageSize) => {
  test.each([
    ['block', HEADER_FLAG_NO_CHECKSUM],
    ['block', 0],
    ['frame', HEADER_FLAG_NO_CHECKSUM],
    ['frame', 0],
  ] as const)('a real database comes back byte for byte, as %s with flags %i', (payload, flags) => {
    const database = databases.get(pageSize)!
    const commit = database.length / pageSize
    const pages = Array.from({ length: commit }, (_, at) => {
      return [at + 1, database.subarray(at * pageSize, (at + 1) * pageSize)] as const
    })
    const decoded = decode(
      encode(headerOf({ pageSize, commit, minTXID: 1n, flags }), pages, { payload }),
      10_000,
    )
    expect(Buffer.compare(Buffer.concat([...decoded.pages.values()]), database)).toBe(0)
    const rolling = new RollingChecksum()
    for (const [pgno, data] of pages) rolling.toggle(pgno, data)
    expect(decoded.trailer.postApplyChecksum).toBe(flags === 0 ? rolling.digest() : 0n)
  })
})
