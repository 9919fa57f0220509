import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { WALConnections } from '../../../src/sqlite/wal-connections.ts'
import { frameOffset } from '../../../src/sqlite/wal-file.ts'
import { Application } from '../../helpers/application.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** An application that waits for nobody, and our connections beside it. */
class Pair implements AsyncDisposable {
  readonly folder = new TemporaryFolder()
  readonly path: string = this.folder.join('app.db')
  application!: Application
  connections!: WALConnections

  static async start(): Promise<Pair> {
    const pair = new Pair()
    pair.application = await Application.open(pair.path, { walAutocheckpoint: 0 })
    await pair.application.exec('PRAGMA busy_timeout = 0; CREATE TABLE t(v); INSERT INTO t VALUES (1)')
    pair.connections = new WALConnections(pair.path, 1000)
    return pair
  }

  insert(): Promise<void> {
    return this.application.exec('INSERT INTO t VALUES (randomblob(2000))')
  }

  /** Whether a RESTART checkpoint of the application gets through. */
  async canRestart(): Promise<boolean> {
    return (await this.application.value('PRAGMA wal_checkpoint(RESTART)')) === 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connections.close()
    await this.application.kill()
    this.folder[Symbol.dispose]()
  }
}

/** Whether a RESTART checkpoint gets through from another process, while this one stands still. */
function canRestartNow(path: string): boolean {
  const script = `import Database from 'better-sqlite3'
    const database = new Database(${JSON.stringify(path)}, { timeout: 0 })
    console.log(database.pragma('wal_checkpoint(RESTART)', { simple: true }))
    process.kill(process.pid, 'SIGKILL')`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT })
  return Number(String(stdout).trim()) === 0
}

interface StatementMethods {
  run: (this: Database.Statement, ...args: unknown[]) => Database.RunResult
  get: (this: Database.Statement, ...args: unknown[]) => unknown
}

/** Calls `probe` after each statement that any connection of this process runs during `work`. */
function afterEachStatement(work: () => void, probe: () => void): void {
  const memory = new Database(':memory:')
  const prototype = Object.getPrototypeOf(memory.prepare('SELECT 1')) as StatementMethods
  memory.close()
  const { run, get } = prototype
  prototype.run = function (...args) {
    const result = run.apply(this, args)
    probe()
    return result
  }
  prototype.get = function (...args) {
    const result = get.apply(this, args)
    probe()
    return result
  }
  try {
    work()
  } finally {
    Object.assign(prototype, { run, get })
  }
}

describe('the pin', () => {
  test('keeps another process from restarting the wal, and lets go of it', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    await pair.insert()
    expect(await pair.canRestart()).toBe(false)
    pair.connections.unpin()
    expect(await pair.canRestart()).toBe(true)
  })

  test('is handed over without a moment in which another process can restart the wal', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    await pair.insert()
    const restarts: boolean[] = []
    afterEachStatement(
      () => pair.connections.movePin(),
      () => restarts.push(canRestartNow(pair.path)),
    )
    expect(restarts.length).toBeGreaterThanOrEqual(3)
    expect(restarts).not.toContain(true)
  })

  test('holds the wal after each of many hand-overs, and lets what came before be backfilled', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    for (let round = 0; round < 5; round++) {
      await pair.insert()
      const before = pair.connections.walState()!.logFrames
      pair.connections.movePin()
      await pair.insert()
      expect(await pair.canRestart()).toBe(false)
      expect(pair.connections.walState()!.backfilledFrames).toBe(before)
    }
    pair.connections.unpin()
    expect(await pair.canRestart()).toBe(true)
  })
})

describe('the barrier', () => {
  test('stops a writer in another process, and lets it go on', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    expect(pair.connections.tryBarrier()).toBe(true)
    await expect(pair.insert()).rejects.toThrow('database is locked')
    pair.connections.releaseBarrier()
    await pair.insert()
    expect(await pair.application.value('SELECT count(*) FROM t')).toBe(2)
  })

  test('is not had while another process writes, and is once it has committed', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    await pair.application.exec('BEGIN IMMEDIATE')
    expect(pair.connections.tryBarrier()).toBe(false)
    pair.connections.releaseBarrier()
    await pair.insert()
    await pair.application.exec('COMMIT')
    expect(pair.connections.tryBarrier()).toBe(true)
    pair.connections.releaseBarrier()
  })

  test('leaves the pin where it is', async () => {
    await using pair = await Pair.start()
    pair.connections.pin()
    await pair.insert()
    pair.connections.tryBarrier()
    pair.connections.releaseBarrier()
    expect(await pair.canRestart()).toBe(false)
  })
})

describe('what is committed', () => {
  test('counts frames of commits alone, and those that are in the database file', async () => {
    await using pair = await Pair.start()
    const before = pair.connections.walState()!
    expect(before.backfilledFrames).toBe(0)
    await pair.application.exec('PRAGMA cache_size = 5; BEGIN')
    for (let row = 0; row < 50; row++) await pair.insert()
    expect(pair.connections.walState()).toEqual(before)
    await pair.application.exec('COMMIT')
    const after = pair.connections.walState()!
    expect(after.logFrames).toBeGreaterThan(before.logFrames)
    expect(pair.connections.checkpointPassive()).toBe(true)
    expect(pair.connections.walState()).toEqual({ ...after, backfilledFrames: after.logFrames })
  })

  test('no connection of ours checkpoints by itself, not even after a commit in a long wal', async () => {
    await using pair = await Pair.start()
    await pair.application.exec(
      'INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) SELECT randomblob(4000) FROM n',
    )
    pair.connections.pin()
    expect(pair.connections.walState()!.logFrames).toBeGreaterThan(1000)
    expect(pair.connections.shrinkWAL()).toBe(true)
    expect(pair.connections.walState()!.backfilledFrames).toBe(0)
  })
})

describe('shrinking the wal', () => {
  test('cuts one that is backfilled to a frame, and changes nothing that the application sees', async () => {
    await using pair = await Pair.start()
    await pair.application.exec('PRAGMA user_version = 42')
    for (let row = 0; row < 20; row++) await pair.insert()
    const before = await pair.application.image()
    pair.connections.checkpointPassive()
    pair.connections.pin()
    expect(pair.connections.shrinkWAL()).toBe(true)
    expect(statSync(`${pair.path}-wal`).size).toBe(frameOffset(1, pair.connections.pageSize))
    expect(await pair.application.value('PRAGMA user_version')).toBe(42)
    // The change counter and the version that it is valid for (bytes 24 and 92) tell of every commit.
    const after = await pair.application.image()
    for (const at of [24, 92]) before.copy(after, at, at, at + 4)
    expect(after.equals(before)).toBe(true)
  })

  test('does not wait for a writer', async () => {
    await using pair = await Pair.start()
    await pair.application.exec('BEGIN IMMEDIATE')
    expect(pair.connections.shrinkWAL()).toBe(false)
  })
})
