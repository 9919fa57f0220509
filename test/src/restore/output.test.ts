import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import type { ReplicaClient } from '../../../replica/index.ts'
import { restore, type RestoreOptions } from '../../../src/restore/index.ts'
import { ProcessLock } from '../../../src/state/process-lock.ts'
import { holdOpen, oldDatabase } from './old-database.ts'
import { namesIn, SyntheticReplica, testFolder, withFaults } from './restore-ground.ts'

/** A replica of one real database in WAL mode with one row, and the bytes that it restores to. */
async function realReplica(): Promise<{ client: ReplicaClient; bytes: Buffer }> {
  const path = join(testFolder(), 'source.db')
  const source = new Database(path)
  source.pragma('journal_mode = wal')
  source.exec("create table t(x); insert into t values ('restored')")
  source.close()
  const bytes = readFileSync(path)
  const pages = Array.from(
    { length: bytes.length / 4096 },
    (_, i) => [i + 1, bytes.subarray(i * 4096, i * 4096 + 4096)] as const,
  )
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize: 4096,
    commit: pages.length,
    pages,
  })
  const client = await replica.open()
  onTestFinished(() => client.close())
  return { client, bytes }
}

function rowsOf(path: string): unknown[] {
  const db = new Database(path, { readonly: true })
  const rows = db.prepare('select x from t').pluck().all()
  db.close()
  return rows
}

function refused(options: RestoreOptions, code: string): Promise<void> {
  return expect(restore(options)).rejects.toMatchObject({
    name: 'RestoreError',
    code,
    hint: expect.any(String) as string,
  })
}

test('a restored database in WAL mode opens, and stands alone after an integrity check', async () => {
  const { client, bytes } = await realReplica()
  for (const integrityCheck of ['none', 'quick', 'full'] as const) {
    const folder = testFolder()
    await restore({ client, outputPath: join(folder, 'out.db'), integrityCheck })
    expect(namesIn(folder)).toEqual(['out.db'])
    expect(readFileSync(join(folder, 'out.db')).equals(bytes)).toBe(true)
    expect(rowsOf(join(folder, 'out.db'))).toEqual(['restored'])
  }
})

test('a database that fails its check never appears', async () => {
  const { bytes } = await realReplica()
  bytes.fill(0xee, 4096, 8192)
  const pages = Array.from(
    { length: bytes.length / 4096 },
    (_, i) => [i + 1, bytes.subarray(i * 4096, i * 4096 + 4096)] as const,
  )
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize: 4096,
    commit: pages.length,
    pages,
  })
  await using client = await replica.open()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  for (const integrityCheck of ['quick', 'full'] as const) {
    await refused({ client, outputPath, integrityCheck }, 'RESTORE_INTEGRITY_FAILED')
    expect(namesIn(folder)).toEqual([])
  }
  await restore({ client, outputPath })
})

test('an output that exists is kept, skipped or replaced, as asked', async () => {
  const { client, bytes } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  oldDatabase(outputPath, 'wal')
  chmodSync(outputPath, 0o640)
  const old = readFileSync(outputPath)
  await refused({ client, outputPath }, 'RESTORE_OUTPUT_EXISTS')
  const untouched = withFaults(client, {
    ltxFiles: () => {
      throw new Error('listed')
    },
  })
  await expect(restore({ client: untouched, outputPath, ifDbNotExists: true })).resolves.toMatchObject({
    skipped: true,
    files: [],
  })
  await expect(
    restore({ client: untouched, outputPath, ifDbNotExists: true, force: true }),
  ).resolves.toMatchObject({
    skipped: true,
  })
  expect(readFileSync(outputPath).equals(old)).toBe(true)
  const result = await restore({ client, outputPath, force: true })
  expect(result).toMatchObject({ skipped: false, replaced: 'database' })
  expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  expect(statSync(outputPath).mode & 0o777).toBe(0o640)
  expect(namesIn(folder)).toEqual(['out.db'])
})

test.each(['-wal', '-shm', '-journal'])(
  'beside an old %s nothing is restored unless forced, then it is gone',
  async (suffix) => {
    const { client, bytes } = await realReplica()
    const folder = testFolder()
    const outputPath = join(folder, 'out.db')
    writeFileSync(outputPath + suffix, 'stale')
    await refused({ client, outputPath }, 'RESTORE_STALE_SIDECAR')
    await refused({ client, outputPath, ifDbNotExists: true }, 'RESTORE_STALE_SIDECAR')
    expect(namesIn(folder)).toEqual([`out.db${suffix}`])
    await restore({ client, outputPath, force: true })
    expect(namesIn(folder)).toEqual(['out.db'])
    expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  },
)

test('the wal of a lost database is not applied to the restored one', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const live = join(folder, 'live.db')
  const db = new Database(live)
  db.pragma('journal_mode = wal')
  db.exec("create table t(x); insert into t values ('in the wal')")
  const wal = readFileSync(`${live}-wal`)
  db.close()
  const outputPath = join(folder, 'out.db')
  writeFileSync(`${outputPath}-wal`, wal)
  await restore({ client, outputPath, force: true, integrityCheck: 'full' })
  expect(rowsOf(outputPath)).toEqual(['restored'])
})

test.each([
  ['idle in WAL mode', 'wal', 'select count(*) from t'],
  ['in a read transaction in WAL mode', 'wal', 'begin; select count(*) from t'],
  ['in a write transaction in rollback mode', 'delete', "begin immediate; insert into t values ('pending')"],
  ['in a read transaction in rollback mode', 'delete', 'begin; select * from t'],
  ['idle in rollback mode', 'delete', 'select count(*) from t'],
] as const)('a database that another process has open, %s, is never written over', async (_, mode, sql) => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  oldDatabase(outputPath, mode)
  await holdOpen(outputPath, sql.replace('select * from t', 'create temp table h as select * from t'))
  const before = readFileSync(outputPath)
  const names = namesIn(folder)
  await refused({ client, outputPath, force: true }, 'RESTORE_OUTPUT_IN_USE')
  await refused({ client, outputPath }, 'RESTORE_OUTPUT_EXISTS')
  expect(namesIn(folder)).toEqual(names)
  expect(readFileSync(outputPath).equals(before)).toBe(true)
})

test('a database that this process has open is never written over, and keeps its locks', async () => {
  const { client } = await realReplica()
  const outputPath = join(testFolder(), 'out.db')
  oldDatabase(outputPath, 'wal')
  const own = new Database(outputPath)
  own.exec("insert into t values ('mine')")
  await refused({ client, outputPath, force: true }, 'RESTORE_OUTPUT_IN_USE')
  const script = `const db = new (require('better-sqlite3'))(${JSON.stringify(outputPath)}, { timeout: 0 })
    db.pragma('locking_mode = exclusive'); try { db.exec('begin exclusive'); console.log('got it') } catch (e) { console.log(e.code) }`
  expect(spawnSync(process.execPath, ['-e', script]).stdout.toString().trim()).toBe('SQLITE_BUSY')
  own.close()
  await restore({ client, outputPath, force: true })
  expect(rowsOf(outputPath)).toEqual(['restored'])
})

test('a database that is opened while the restore runs is not written over', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  oldDatabase(outputPath, 'wal')
  let opened: Database.Database | undefined
  const onProgress = (): void => {
    if (opened !== undefined) return
    opened = new Database(outputPath)
    opened.exec("insert into t values ('late')")
  }
  await refused({ client, outputPath, force: true, onProgress }, 'RESTORE_OUTPUT_IN_USE')
  opened!.close()
  expect(namesIn(folder)).toEqual(['out.db'])
  expect(rowsOf(outputPath)).toEqual(['old', 'late'])
})

test('a database that appears while the restore runs is not written over', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const onProgress = (): void => {
    if (!existsSync(outputPath)) oldDatabase(outputPath, 'delete')
  }
  await refused({ client, outputPath, onProgress }, 'RESTORE_OUTPUT_EXISTS')
  expect(rowsOf(outputPath)).toEqual(['old'])
  expect(namesIn(folder)).toEqual(['out.db'])
})

test('rows in the wal of a crashed application are in the old database until the new one takes its place', async () => {
  const { client, bytes } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const script = `const db = new (require('better-sqlite3'))(${JSON.stringify(outputPath)})
    db.pragma('journal_mode = wal'); db.exec("create table t(x); insert into t values ('in the wal')"); process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', script])
  expect(namesIn(folder)).toEqual(['out.db', 'out.db-shm', 'out.db-wal'])
  const broken = withFaults(client, {
    openLTXFile: () => Promise.reject(Object.assign(new Error('no'), { retryable: false })),
  })
  await expect(restore({ client: broken, outputPath, force: true })).rejects.toThrow('no')
  expect(rowsOf(outputPath)).toEqual(['in the wal'])
  await restore({ client, outputPath, force: true })
  expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  expect(namesIn(folder)).toEqual(['out.db'])
})

test('a file that is no database is replaced when forced, and the result says that its locks could not be asked for', async () => {
  const { client, bytes } = await realReplica()
  const outputPath = join(testFolder(), 'out.db')
  writeFileSync(outputPath, 'not a database, but long enough to be looked at as one'.repeat(40))
  expect(await restore({ client, outputPath, force: true })).toMatchObject({ replaced: 'not a database' })
  expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  writeFileSync(outputPath, '')
  expect(await restore({ client, outputPath, force: true })).toMatchObject({ replaced: 'database' })
})

test("our old local state goes with the old database, Litestream's stays", async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  for (const make of [() => oldDatabase(outputPath, 'wal'), () => {}]) {
    make()
    for (const name of ['.out.db-replicate', '.out.db-litestream']) {
      mkdirSync(join(folder, name, 'ltx', '0'), { recursive: true })
      writeFileSync(join(folder, name, 'ltx', '0', 'x'), '')
    }
    await restore({ client, outputPath, force: true })
    expect(namesIn(folder)).toEqual(['.out.db-litestream', 'out.db'])
  }
})

test('while a replicator is at work on the path nothing is restored there', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const lock = ProcessLock.acquire(join(folder, '.out.db-replicate'))!
  await refused({ client, outputPath }, 'RESTORE_OUTPUT_IN_USE')
  expect(namesIn(folder)).toEqual(['.out.db-replicate'])
  lock.release()
  await restore({ client, outputPath })
  expect(namesIn(folder)).toEqual(['out.db'])
})

test('a symbolic link as output stays, and what it points to is restored', async () => {
  const { client, bytes } = await realReplica()
  const folder = testFolder()
  const link = join(folder, 'link.db')
  const target = join(folder, 'data', 'real.db')
  mkdirSync(join(folder, 'data'))
  symlinkSync('data/real.db', link)
  writeFileSync(`${target}-wal`, 'stale')
  await refused({ client, outputPath: link }, 'RESTORE_STALE_SIDECAR')
  await restore({ client, outputPath: link, force: true })
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readFileSync(target).equals(bytes)).toBe(true)
  await refused({ client, outputPath: link }, 'RESTORE_OUTPUT_EXISTS')
  await restore({ client, outputPath: link, force: true })
  expect(namesIn(folder)).toEqual(['data', 'link.db'])
  expect(namesIn(join(folder, 'data'))).toEqual(['real.db'])
})

test('a folder, a device, a loop of links and an empty path are no place for a database', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  symlinkSync('b', join(folder, 'a'))
  symlinkSync('a', join(folder, 'b'))
  for (const outputPath of [folder, `${folder}/`, '/dev/null', join(folder, 'a'), '']) {
    await refused({ client, outputPath, force: true }, 'RESTORE_OUTPUT_NOT_A_FILE')
    await refused({ client, outputPath, ifDbNotExists: true }, 'RESTORE_OUTPUT_NOT_A_FILE')
  }
})

test('what a killed restore left behind is recognised and removed by the next one, that of a living one is not', async () => {
  const { client } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const random = '0123456789ab'
  const leftovers = ['', '-wal', '-shm', '-journal'].map((suffix) => `out.db.tmp-${dead}-${random}${suffix}`)
  const others = [
    `out.db.tmp-${process.ppid}-${random}`,
    'out.db.tmp-notes',
    `other.db.tmp-${dead}-${random}`,
  ]
  const ours = `out.db.tmp-${process.pid}-${random}`
  for (const name of [...leftovers, ...others, ours]) writeFileSync(join(folder, name), '')
  await restore({ client, outputPath })
  expect(namesIn(folder)).toEqual(['out.db', ...others].sort())
})

test('a restore that is killed half way leaves no output, and the next one succeeds and cleans up', async () => {
  const { client, bytes } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const script = `
    import { openReplica } from ${JSON.stringify(new URL('../../../replica/index.ts', import.meta.url).pathname)}
    import { restore } from ${JSON.stringify(new URL('../../../src/restore/index.ts', import.meta.url).pathname)}
    const client = await openReplica(${JSON.stringify(client.url)})
    await restore({ client, outputPath: ${JSON.stringify(outputPath)}, onProgress: () => process.kill(process.pid, 'SIGKILL') })`
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
  expect({ signal: run.signal, stderr: run.stderr.toString() }).toEqual({ signal: 'SIGKILL', stderr: '' })
  expect(namesIn(folder)).toEqual([
    expect.stringMatching(new RegExp(`^out\\.db\\.tmp-${run.pid}-[0-9a-f]{12}$`)),
  ])
  await restore({ client, outputPath })
  expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  expect(namesIn(folder)).toEqual(['out.db'])
})

test('two restores to one output at a time: one wins, the other says that something is there', async () => {
  const { client, bytes } = await realReplica()
  const folder = testFolder()
  const outputPath = join(folder, 'out.db')
  const results = await Promise.allSettled([1, 2, 3].map(() => restore({ client, outputPath })))
  expect(results.filter((r) => r.status === 'fulfilled').length).toBe(1)
  for (const r of results)
    if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'RESTORE_OUTPUT_EXISTS' })
  expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  expect(namesIn(folder)).toEqual(['out.db'])
})
