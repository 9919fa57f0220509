import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { processesWithOpen } from '../../../src/restore/open-descriptors.ts'
import { clearOutput, requireUnused } from '../../../src/restore/output-guard.ts'
import { inspectOutput } from '../../../src/restore/output-path.ts'
import { holdOpen, oldDatabase } from './old-database.ts'
import { namesIn, testFolder } from './restore-ground.ts'

/** As on a system without a process table, so that SQLite's locks are all there is. */
async function seesNothing(): Promise<number[]> {
  return []
}

const inUse = { name: 'RestoreError', code: 'RESTORE_OUTPUT_IN_USE' }

test.each([
  ['idle in WAL mode', 'wal', 'select count(*) from t'],
  ['in a read transaction in WAL mode', 'wal', 'begin; create temp table h as select * from t'],
  ['in a write transaction in WAL mode', 'wal', "begin immediate; insert into t values ('pending')"],
  ['in a write transaction in rollback mode', 'delete', "begin immediate; insert into t values ('pending')"],
  ['in a read transaction in rollback mode', 'delete', 'begin; create temp table h as select * from t'],
] as const)("SQLite's locks alone show another process %s", async (_, mode, sql) => {
  const path = join(testFolder(), 'a.db')
  oldDatabase(path, mode)
  await holdOpen(path, sql)
  await expect(requireUnused(path, seesNothing)).rejects.toMatchObject(inUse)
})

test("SQLite's locks alone show an idle WAL connection of this process", async () => {
  const path = join(testFolder(), 'a.db')
  oldDatabase(path, 'wal')
  const own = new Database(path)
  own.prepare('select count(*) from t').get()
  await expect(requireUnused(path, seesNothing)).rejects.toMatchObject(inUse)
  own.close()
  await expect(requireUnused(path, seesNothing)).resolves.toBe('database')
})

test.runIf(process.platform === 'linux')('an open descriptor shows where there is no lock', async () => {
  const path = join(testFolder(), 'a.db')
  oldDatabase(path, 'delete')
  await expect(requireUnused(path)).resolves.toBe('database')
  await holdOpen(path, 'select count(*) from t')
  await expect(requireUnused(path, seesNothing)).resolves.toBe('database')
  expect((await processesWithOpen(path)).length).toBe(1)
  await expect(requireUnused(path)).rejects.toMatchObject(inUse)
})

test('what is cleared for the new database is in the old one first: a crash in between loses no row', async () => {
  const folder = testFolder()
  const path = join(folder, 'a.db')
  const script = `const db = new (require('better-sqlite3'))(${JSON.stringify(path)})
    db.pragma('journal_mode = wal'); db.exec("create table t(x); insert into t values ('in the wal')"); process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', script])
  expect(namesIn(folder)).toEqual(['a.db', 'a.db-shm', 'a.db-wal'])
  await clearOutput(await inspectOutput(path))
  expect(namesIn(folder)).toEqual(['a.db'])
  const old = new Database(path)
  expect(old.prepare('select x from t').pluck().all()).toEqual(['in the wal'])
  old.close()
})
