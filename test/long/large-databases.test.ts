import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Application } from '../helpers/application.ts'
import { runCLI, RunningCLI } from '../helpers/cli.ts'
import { Scene } from '../helpers/daemon.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

/** Databases too large to hand around in memory: files are compared where they lie. */
function expectSameFile(actual: string, expected: string): void {
  const { status, stdout } = spawnSync('cmp', [actual, expected], { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
}

/** Peak memory of a process so far, in MB. */
function peakMB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

/** Runs a command and resolves with the most memory that it was seen to have, in MB. */
async function peakOf(args: readonly string[]): Promise<number> {
  const command = new RunningCLI(args)
  let peak = 0
  const probe = setInterval(() => {
    try {
      peak = Math.max(peak, peakMB(command.pid))
    } catch {
      // It has just ended.
    }
  }, 10)
  const { code, stderr } = await command.result
  clearInterval(probe)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return peak
}

describe('databases around and beyond 1 GiB', () => {
  test.each([65536, 4096])('capture of a database across the lock page, page size %i', async (pageSize) => {
    using folder = new TemporaryFolder()
    const [path, output, url] = [
      folder.join('app.db'),
      folder.join('out.db'),
      `file://${folder.join('replica')}`,
    ]
    const application = await Application.open(path, {
      pageSize,
      journalMode: 'delete',
      synchronous: 'off',
    })
    await application.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)')
    for (let row = 0; row < 3; row++) await application.exec('INSERT INTO t(v) VALUES (zeroblob(400000000))')
    await using daemon = new RunningCLI(['replicate', path, url])
    await daemon.logged('the replica is up to date')
    await application.exec("INSERT INTO t(v) VALUES (randomblob(3000000)); UPDATE t SET v = 'x' WHERE id = 1")
    await application.exec('INSERT INTO t(v) VALUES (randomblob(700000))')
    daemon.kill('SIGTERM')
    expect((await daemon.result).code).toBe(0)
    await application.stop()
    expect(statSync(path).size).toBeGreaterThan(2 ** 30)
    expect((await runCLI(['restore', '-integrity-check', 'quick', '-o', output, url])).code).toBe(0)
    expectSameFile(output, path)
  })

  test('memory does not grow with the database, capturing or restoring', async () => {
    const peaks: { snapshot: number; restore: number }[] = []
    for (const bytes of [100_000_000, 2_000_000_000]) {
      using folder = new TemporaryFolder()
      const [path, output, url] = [
        folder.join('app.db'),
        folder.join('out.db'),
        `file://${folder.join('replica')}`,
      ]
      const application = await Application.open(path, { journalMode: 'delete', synchronous: 'off' })
      await application.exec('CREATE TABLE t(v BLOB)')
      for (let written = 0; written < bytes; written += 100_000_000) {
        await application.exec('INSERT INTO t(v) VALUES (randomblob(50000000)), (zeroblob(50000000))')
      }
      await application.stop()
      const snapshot = await peakOf(['replicate', '-once', path, url])
      const restore = await peakOf(['restore', '-o', output, url])
      expectSameFile(output, path)
      peaks.push({ snapshot, restore })
      rmSync(output)
    }
    console.log('peak memory in MB at 100 MB and at 2 GB:', peaks)
    const [small, large] = peaks
    expect(large!.snapshot).toBeLessThan(small!.snapshot + 60)
    expect(large!.restore).toBeLessThan(small!.restore + 60)
    expect(large!.snapshot).toBeLessThan(200)
    expect(large!.restore).toBeLessThan(200)
  })
})

describe('a quiet minute', () => {
  test('an idle database gets no file and its replica no request', async () => {
    await using scene = await Scene.set('CREATE TABLE t(v); INSERT INTO t VALUES (1)')
    await scene.start()
    await scene.application.insertMany(600)
    await scene.replicated()
    const [files, changedMs] = [scene.files(), statSync(scene.folder.join('replica/ltx/0')).mtimeMs]
    const cpuBefore = scene.cpuMs()
    await sleep(61_000)
    expect(scene.files()).toEqual(files)
    expect(statSync(scene.folder.join('replica/ltx/0')).mtimeMs).toBe(changedMs)
    console.log(`CPU of the replicator in an idle minute: ${scene.cpuMs() - cpuBefore} ms`)
    // Some ten system calls a second; the rest is the runtime's own. A loop that does not rest would use all of it.
    expect(scene.cpuMs() - cpuBefore).toBeLessThan(3000)
    await scene.stop()
  })
})
