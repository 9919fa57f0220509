import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Application } from '../../helpers/application.ts'
import { runCLI, RunningCLI, until } from '../../helpers/cli.ts'
import { Scene } from '../../helpers/daemon.ts'
import { expectSamePages, restoredImage } from '../../helpers/restored.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

/** A small file system of its own, where this user may mount one. */
class Mount implements Disposable {
  readonly folder: TemporaryFolder = new TemporaryFolder()
  readonly path: string = this.folder.join('mount')

  constructor(options: string) {
    mkdirSync(this.path)
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', this.path], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  makeReadOnly(): void {
    expect(spawnSync('mount', ['-o', 'remount,ro', this.path]).status).toBe(0)
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['-l', this.path])
    this.folder[Symbol.dispose]()
  }
}

const mayMount = ((): boolean => {
  try {
    new Mount('size=1m')[Symbol.dispose]()
    return true
  } catch {
    return false
  }
})()

const TABLE = 'CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB); INSERT INTO t(v) VALUES (1)'

async function makeDatabase(path: string, journalMode: 'wal' | 'delete' = 'wal'): Promise<void> {
  const application = await Application.open(path, { journalMode })
  await application.exec(TABLE)
  await application.stop()
}

describe('databases that cannot be replicated are refused with a clear line and nothing left over', () => {
  test('a file that is not a database', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('app.db'), 'this is no database, only some text that is long enough')
    const result = await runCLI(['replicate', folder.join('app.db'), `file://${folder.join('replica')}`])
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/Error: not a sqlite database: .*app\.db\nTry: /)
    expect(readdirSync(folder.path)).toEqual(['app.db'])
  })

  test('a file that is not there', async () => {
    using folder = new TemporaryFolder()
    const result = await runCLI(['replicate', folder.join('app.db'), `file://${folder.join('replica')}`])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/Error: no such database: .*app\.db\nTry: /)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('an empty file where the replica has a database', async () => {
    using folder = new TemporaryFolder()
    const [path, url] = [folder.join('app.db'), `file://${folder.join('replica')}`]
    await makeDatabase(path)
    expect((await runCLI(['replicate', '-once', path, url])).code).toBe(0)
    rmSync(path)
    rmSync(folder.join('.app.db-replicate'), { recursive: true })
    writeFileSync(path, '')
    const result = await runCLI(['replicate', '-once', path, url])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('the database is an empty file, and the replica is not empty')
    expect(readdirSync(folder.join('replica/ltx/0'))).toHaveLength(1)
  })

  test('a database in rollback mode is switched to WAL, and that is said', async () => {
    using folder = new TemporaryFolder()
    const path = folder.join('app.db')
    await makeDatabase(path, 'delete')
    const result = await runCLI(['replicate', '-once', path, `file://${folder.join('replica')}`])
    expect(result.code).toBe(0)
    expect(result.stderr).toContain('switched the database to WAL')
    expect(result.stderr).toContain('from=delete')
  })

  test('a database in rollback mode that somebody holds cannot be switched', async () => {
    using folder = new TemporaryFolder()
    const path = folder.join('app.db')
    await makeDatabase(path, 'delete')
    await using holder = await Application.open(path, { journalMode: 'delete' })
    await holder.exec('BEGIN EXCLUSIVE')
    const result = await runCLI(['replicate', '-once', path, `file://${folder.join('replica')}`])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/Error: .*(cannot be switched to WAL mode|locked).*app\.db\nTry: /)
    await holder.exec('ROLLBACK')
    expect(existsSync(folder.join('.app.db-replicate'))).toBe(false)
  })

  test.skipIf(!mayMount)('a database on a read-only mount', async () => {
    using mount = new Mount('size=4m')
    const path = join(mount.path, 'app.db')
    await makeDatabase(path)
    mount.makeReadOnly()
    const result = await runCLI(['replicate', path, `file://${mount.folder.join('replica')}`])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/Error: .*(read-only file system).*\nTry: /)
    expect(existsSync(mount.folder.join('replica'))).toBe(false)
  })

  test.skipIf(!mayMount)('a replica on a read-only mount ends -once at once', async () => {
    using mount = new Mount('size=4m')
    const path = mount.folder.join('app.db')
    await makeDatabase(path)
    mount.makeReadOnly()
    const startMs = performance.now()
    const result = await runCLI(['replicate', '-once', path, `file://${join(mount.path, 'replica')}`])
    expect(performance.now() - startMs).toBeLessThan(10_000)
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/Error: .*read-only/)
  })
})

describe('a fault while running is waited out, and a stop in the middle of it is no success', () => {
  test('a replica that is in the way of a file ends a stop with what is missing and why', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    const folder = scene.folder.join('replica/ltx/0')
    renameSync(folder, scene.folder.join('aside'))
    writeFileSync(folder, 'in the way')
    await scene.application.insertMany(1)
    await scene.logged('upload failed')
    const result = await scene.stopInVain()
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('not in the replica')
    rmSync(folder)
    renameSync(scene.folder.join('aside'), folder)
    await scene.start()
  }, 90_000)

  test('the replica comes back and gets everything, without a restart', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    const folder = scene.folder.join('replica/ltx/0')
    renameSync(folder, scene.folder.join('aside'))
    writeFileSync(folder, 'in the way')
    await scene.application.insertMany(3)
    await scene.logged('upload failed')
    rmSync(folder)
    renameSync(scene.folder.join('aside'), folder)
    await scene.application.insertMany(3)
    await scene.replicated()
    expect(scene.log).toContain('uploads go on')
    expect(scene.snapshots).toBe(1)
    await scene.stop()
  })

  test.skipIf(!mayMount)('a full disk under the state folder is waited out without a snapshot', async () => {
    using mount = new Mount('size=2m')
    const [path, url] = [mount.folder.join('app.db'), `file://${mount.folder.join('replica')}`]
    const stateFolder = mount.folder.join('.app.db-replicate')
    mkdirSync(stateFolder)
    symlinkSync(mount.path, join(stateFolder, 'ltx'))
    await using application = await Application.open(path)
    await application.exec(TABLE)
    await using daemon = new RunningCLI(['replicate', path, url])
    await daemon.logged('capturing')
    const filler = join(mount.path, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'])
    await application.insertMany(100)
    await daemon.logged('no space for the files of the replicator')
    rmSync(filler)
    await daemon.logged('replication goes on')
    await application.insertMany(100)
    daemon.kill('SIGTERM')
    const { code, stderr } = await daemon.result
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stderr.split('snapshot captured')).toHaveLength(2)
    const restored = await restoredImage(url, mount.folder.join('restored.db'))
    expectSamePages(restored, await application.image(), 'after the full disk')
  })

  test('the database is replaced by another file: the new one is captured whole', async () => {
    await using scene = await Scene.set(TABLE)
    await scene.start()
    await scene.application.stop()
    await makeDatabase(scene.folder.join('other.db'))
    const other = await Application.open(scene.folder.join('other.db'))
    await other.insertMany(50)
    await other.stop()
    renameSync(scene.folder.join('other.db'), scene.path)
    await scene.logged('the database file was replaced by another')
    await until('the snapshot is captured', () => scene.snapshots === 2)
    await scene.replicated()
    expect(scene.snapshots).toBe(2)
  })
})
