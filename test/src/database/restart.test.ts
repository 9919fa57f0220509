import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Scene } from '../../helpers/daemon.ts'

const TABLE = `CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO t(v) SELECT randomblob(500) FROM n;`

const grow = (rows: number): string => `INSERT INTO t(v)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT randomblob(3000) FROM n`

describe('a clean stop and start', () => {
  test('uploads nothing when nothing was written in between', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.insertMany(20)
    await scene.replicated()
    await scene.stop()
    const before = scene.files()
    await scene.start()
    await scene.stop()
    expect(scene.files()).toEqual(before)
  })

  test('uploads only what was written in between', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.stop()
    const before = scene.files()
    await scene.application.insertMany(3)
    await scene.start()
    expect(scene.snapshots).toBe(0)
    const added = scene.files().slice(before.length)
    expect(added).toHaveLength(1)
    expect(statSync(scene.folder.join('replica/ltx/0', added[0]!)).size).toBeLessThan(10_000)
  })

  test('takes no snapshot when the application stopped first', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.insertMany(5)
    await scene.application.stop()
    await scene.replicated()
    await scene.stop()
    const before = scene.files()
    await scene.start()
    expect(scene.snapshots).toBe(0)
    expect(scene.files()).toEqual(before)
  })

  test('takes no snapshot when the application stopped last without a write', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.stop()
    const before = scene.files()
    await scene.application.stop()
    await scene.start()
    expect(scene.snapshots).toBe(0)
    expect(scene.files()).toEqual(before)
  })

  test('takes no snapshot when an application opened, read and closed meanwhile', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.stop()
    await scene.stop()
    await scene.briefly('SELECT count(*) FROM t')
    await scene.briefly('SELECT count(*) FROM t')
    await scene.start()
    expect(scene.snapshots).toBe(0)
  })

  test('takes one snapshot when an application wrote and closed last meanwhile', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.stop()
    await scene.stop()
    await scene.briefly("INSERT INTO t(v) VALUES ('while down')")
    await scene.start()
    expect(scene.snapshots).toBe(1)
  })

  test('takes one snapshot when many commits and checkpoints came meanwhile', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.stop()
    for (let round = 0; round < 3; round++) {
      await scene.application.insertMany(100)
      await scene.application.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    }
    await scene.start()
    expect(scene.snapshots).toBe(1)
  })

  test('takes no snapshot beside an application whose connections come and go', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.application.stop()
    await scene.start()
    for (let round = 0; round < 10; round++) await scene.briefly(`INSERT INTO t(v) VALUES (${round})`)
    await scene.replicated()
    expect(scene.snapshots).toBe(1)
    await scene.stop()
  })
})

describe('kill -9 of the replicator', () => {
  test('costs no snapshot when less than a checkpoint was committed meanwhile', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.insertMany(50)
    await scene.replicated()
    await scene.kill()
    await scene.application.insertMany(100)
    await scene.start()
    expect(scene.snapshots).toBe(0)
  })

  test('costs no snapshot when the wal was restarted once meanwhile, and the old tail is not lost', async () => {
    await using scene = await Scene.set(TABLE, { walAutocheckpoint: 0 })
    await scene.start()
    await scene.application.insertMany(100)
    await scene.replicated()
    await scene.kill()
    // The tail of the old generation, a checkpoint of all, and one commit of the new generation.
    await scene.application.exec('UPDATE t SET v = randomblob(400) WHERE id % 7 = 0')
    await scene.application.exec('PRAGMA wal_checkpoint(RESTART)')
    await scene.application.exec("INSERT INTO t(v) VALUES ('new generation')")
    await scene.start()
    expect(scene.snapshots).toBe(0)
  })

  test('loses no page of an old tail that shrank and grew when a rolled back transaction began the next generation', async () => {
    await using scene = await Scene.set('CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)', {
      walAutocheckpoint: 0,
      cachePages: 5,
    })
    await scene.start()
    await scene.application.exec(grow(100))
    await scene.replicated()
    await scene.kill()
    await scene.application.exec('DELETE FROM t WHERE id > 5')
    await scene.application.exec('VACUUM')
    await scene.application.exec(grow(80))
    await scene.application.exec('PRAGMA wal_checkpoint(PASSIVE)')
    await scene.application.exec('BEGIN; UPDATE t SET v = zeroblob(3000) WHERE id BETWEEN 20 AND 40')
    await scene.application.exec('ROLLBACK')
    await scene.start()
  })

  test('costs one snapshot when generations of the wal were missed', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.kill()
    for (let round = 0; round < 3; round++) {
      await scene.application.insertMany(200)
      await scene.application.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    }
    await scene.application.insertMany(10)
    await scene.start()
    expect(scene.snapshots).toBe(1)
    await scene.application.insertMany(10)
    await scene.replicated()
    expect(scene.snapshots).toBe(1)
  })
})

describe('one history', () => {
  test('a host without local state goes on after the highest TXID of the replica', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.insertMany(5)
    await scene.replicated()
    await scene.stop()
    const before = scene.files()
    scene.removeState()
    await scene.application.exec("INSERT INTO t(v) VALUES ('after the loss')")
    await scene.start()
    expect(scene.files().slice(0, before.length)).toEqual(before)
    expect(scene.files().length).toBe(before.length + 1)
  })

  test('a replica that went on past the local state is refused, and left as it is', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.stop()
    cpSync(scene.stateFolder, scene.folder.join('old-state'), { recursive: true })
    await scene.start()
    await scene.application.insertMany(3)
    await scene.replicated()
    await scene.stop()
    const before = scene.files()
    scene.removeState()
    cpSync(scene.folder.join('old-state'), scene.stateFolder, { recursive: true })
    const result = await scene.startInVain()
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('somebody else writes there or this disk was rolled back')
    expect(result.stderr).toContain('Try:')
    expect(result.stderr).toContain('replicate reset')
    expect(scene.files()).toEqual(before)
  })

  test('other bytes under our next name stop the replicator, and are left as they are', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    const next = scene.folder.join('replica/ltx/0/0000000000000002-0000000000000002.ltx')
    writeFileSync(next, 'written by somebody else')
    await scene.application.insertMany(1)
    const result = await scene.ended()
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('somebody else writes there')
    expect(readFileSync(next, 'utf8')).toBe('written by somebody else')
  })

  test('a second replicator on the same database is refused, and the first goes on', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await using second = await Scene.set('SELECT 1')
    const result = await second.startInVain(scene.path)
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('another process replicates this database')
    await scene.application.insertMany(3)
    await scene.replicated()
  })

  test('a replica that is emptied gets everything again', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.insertMany(5)
    await scene.replicated()
    await scene.stop()
    rmSync(scene.folder.join('replica'), { recursive: true })
    await scene.start()
    expect(scene.files().length).toBeGreaterThan(0)
  })

  test('a replica that is emptied gets one snapshot of everything when older local files are gone', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    for (let round = 0; round < 3; round++) {
      await scene.application.insertMany(1)
      await scene.replicated()
    }
    await scene.stop()
    rmSync(scene.folder.join('replica'), { recursive: true })
    const [oldest, ...rest] = scene.localFiles()
    rmSync(join(scene.stateFolder, 'ltx/0', oldest!))
    await scene.start()
    expect(scene.snapshots).toBe(1)
    expect(scene.files()).toHaveLength(1)
    expect(scene.files()[0]).toMatch(/^0000000000000001-/)
    expect(rest.length).toBeGreaterThan(0)
    await scene.stop()
    await scene.application.insertMany(1)
    await scene.start()
    expect(scene.snapshots).toBe(0)
  })

  test('an interior hole in the replica is filled from local files', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    for (let round = 0; round < 4; round++) {
      await scene.application.insertMany(1)
      await scene.replicated()
    }
    await scene.stop()
    const before = scene.files()
    rmSync(join(scene.folder.path, 'replica/ltx/0', before[2]!))
    await scene.start()
    expect(scene.files()).toEqual(before)
  })
})
