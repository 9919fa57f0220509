import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Application, type ApplicationOptions } from '../../helpers/application.ts'
import { expectSamePages, restoredImage } from '../../helpers/restored.ts'
import { SteppedReplication } from '../../helpers/stepped-replication.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

/** An application with a database, and the replication of it, both gone at the end of the scope. */
class Pair implements AsyncDisposable {
  readonly folder: TemporaryFolder = new TemporaryFolder()
  readonly path: string = this.folder.join('app.db')
  readonly url: string = `file://${this.folder.join('replica')}`
  application!: Application
  replication!: SteppedReplication

  static async start(sql: string, options: ApplicationOptions = {}): Promise<Pair> {
    const pair = new Pair()
    pair.application = await Application.open(pair.path, options)
    await pair.application.exec(sql)
    pair.replication = await SteppedReplication.start(pair.path, pair.url)
    await pair.replication.catchUp()
    return pair
  }

  /** Captures what is there and compares what the replica gives back with what the application sees. */
  async check(what: string): Promise<void> {
    await this.replication.catchUp()
    const restored = await restoredImage(this.url, this.folder.join('restored.db'))
    expectSamePages(restored, await this.application.image(), what)
  }

  level0(): string[] {
    return readdirSync(this.folder.join('replica', 'ltx', '0')).sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.replication.abandon()
    await this.application.kill()
    this.folder[Symbol.dispose]()
  }
}

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO t(v) SELECT randomblob(300) FROM n;`

describe('every state that an application commits comes back page by page', () => {
  test('a database that has data before the first sync', async () => {
    await using pair = await Pair.start(ROWS)
    await pair.check('first sync')
    expect(pair.level0()).toEqual(['0000000000000001-0000000000000001.ltx'])
  })

  test('a first sync while half of the data is in the database file and half in the wal', async () => {
    await using pair = await Pair.start(
      `${ROWS} PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t(v) SELECT v FROM t;`,
    )
    await pair.check('first sync over a wal')
  })

  test('a transaction of 100 MB is one file and is not split', async () => {
    await using pair = await Pair.start('CREATE TABLE big(v BLOB)')
    await pair.application.exec(`BEGIN; INSERT INTO big
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT randomblob(1000000) FROM n; COMMIT`)
    await pair.check('large transaction')
    const sizes = pair.level0().map((name) => statSync(join(pair.folder.path, 'replica/ltx/0', name)).size)
    expect(sizes.filter((bytes) => bytes > 10_000)).toHaveLength(1)
    expect(Math.max(...sizes)).toBeGreaterThan(100_000_000)
  })

  test('frames of a transaction that is still open are not captured, and are once it commits', async () => {
    await using pair = await Pair.start(ROWS, { cachePages: 10 })
    await pair.application.exec('BEGIN; UPDATE t SET v = randomblob(300)')
    const before = pair.replication.txid
    const reader = await Application.open(pair.path)
    const committed = await reader.image()
    await pair.replication.catchUp()
    expect(pair.replication.txid).toBe(before)
    expectSamePages(
      await restoredImage(pair.url, pair.folder.join('restored.db')),
      committed,
      'uncommitted tail',
    )
    await reader.kill()
    await pair.application.exec('COMMIT')
    await pair.check('committed at last')
    expect(pair.replication.txid).toBe(before + 1n)
  })

  test('frames of a transaction that was rolled back are overwritten by the next and never captured', async () => {
    await using pair = await Pair.start(ROWS, { cachePages: 10 })
    await pair.application.exec('BEGIN; UPDATE t SET v = randomblob(300)')
    await pair.replication.catchUp()
    await pair.application.exec('ROLLBACK')
    const before = pair.replication.txid
    await pair.replication.catchUp()
    expect(pair.replication.txid).toBe(before)
    await pair.application.exec('UPDATE t SET v = randomblob(300) WHERE id = 7')
    await pair.check('after the rollback')
  })

  test('VACUUM that shrinks, and growth after it', async () => {
    await using pair = await Pair.start(ROWS)
    await pair.application.exec('DELETE FROM t WHERE id > 20; VACUUM')
    await pair.check('shrunk')
    await pair.application.exec('INSERT INTO t(v) SELECT randomblob(3000) FROM t, t AS u')
    await pair.check('grown')
    await pair.application.exec('DELETE FROM t')
    await pair.application.exec('VACUUM')
    await pair.application.exec('INSERT INTO t(v) VALUES (randomblob(100000))')
    await pair.check('shrunk and grown between two looks')
  })

  test.each([512, 1024, 4096, 65536])('every page size: %i bytes', async (pageSize) => {
    await using pair = await Pair.start(ROWS, { pageSize })
    for (let round = 0; round < 5; round++) {
      await pair.application.exec(`UPDATE t SET v = randomblob(500) WHERE id % 5 = ${round}`)
      await pair.check(`round ${round}`)
    }
    await pair.application.exec('DELETE FROM t WHERE id > 100; VACUUM')
    await pair.check('vacuumed')
  })

  test('thousands of commits with checkpoints of ours and of the application between them', async () => {
    await using pair = await Pair.start(ROWS, { walAutocheckpoint: 100 })
    for (let round = 0; round < 20; round++) {
      await pair.application.insertMany(200)
      await pair.replication.catchUp()
      if (round % 5 === 4) await pair.check(`round ${round}`)
    }
    expect(pair.replication.log.filter((line) => line.includes('taking a full snapshot'))).toHaveLength(1)
    expect(pair.replication.log.some((line) => line.includes('"outcome":"sealed"'))).toBe(true)
  })

  test('a blob that is allocated and freed within one transaction leaves no hole where the database grew', async () => {
    await using pair = await Pair.start(ROWS)
    await pair.application.exec('DELETE FROM t WHERE id > 50; VACUUM')
    await pair.replication.catchUp()
    await pair.application.exec(
      'BEGIN; INSERT INTO t(id, v) VALUES (9999, zeroblob(400000)); DELETE FROM t WHERE id = 9999; COMMIT',
    )
    await pair.check('grown without frames')
  })

  test('an idle database gets no file', async () => {
    await using pair = await Pair.start(ROWS)
    await pair.application.insertMany(700)
    await pair.replication.catchUp()
    const before = pair.level0()
    for (let look = 0; look < 200; look++) await pair.replication.catchUp()
    expect(pair.level0()).toEqual(before)
  })

  test('nothing is written into the schema of the user', async () => {
    await using pair = await Pair.start(ROWS)
    const schema = 'SELECT group_concat(type || name || tbl_name || rootpage || sql) FROM sqlite_schema'
    const before = await pair.application.value(schema)
    await pair.application.exec('INSERT INTO t(v) VALUES (randomblob(2000000))')
    await pair.replication.catchUp()
    await pair.application.exec('INSERT INTO t(v) VALUES (1)')
    await pair.check('after checkpoints')
    expect(await pair.application.value(schema)).toBe(before)
    expect(await pair.application.value('PRAGMA user_version')).toBe(0)
  })
})
