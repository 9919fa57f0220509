import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ObjectStoreError, ReplicaError } from '../../../replica/index.ts'
import { type Level0File, Level0Folder } from '../../../src/state/level0-folder.ts'
import { Uploader } from '../../../src/upload/uploader.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { publishFake } from '../../helpers/fake-level0-files.ts'
import { FakeReplicaClient } from '../../helpers/fake-replica-client.ts'
import { recordingLogger } from '../../helpers/stepped-replication.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const MINUTE_MS = 60_000

/** An uploader between real local files and a replica that fails when it is told to. */
class Ground {
  readonly folder = new TemporaryFolder()
  readonly clock = new FakeClock()
  readonly client = new FakeReplicaClient()
  readonly log: string[] = []
  readonly level0 = new Level0Folder(this.folder.join('0'), {
    fileMode: 0o600,
    folderMode: 0o700,
    payload: 'block',
  })
  readonly uploader: Uploader
  readonly running: Promise<void>
  readonly #stop = new AbortController()

  constructor({
    isPatient = true,
    replicatedTXID = 0n,
  }: { isPatient?: boolean; replicatedTXID?: bigint } = {}) {
    const { client, level0, clock } = this
    const logger = recordingLogger(this.log)
    this.uploader = new Uploader(
      { databasePath: '/app.db', client, level0, clock, logger, isPatient },
      replicatedTXID,
    )
    this.running = this.uploader.run(this.#stop.signal)
    this.running.catch(() => undefined)
  }

  /** Makes the local files of these transactions, `ageMs` old, without giving them to the uploader. */
  publish(txids: readonly bigint[], ageMs = 0): Level0File[] {
    const timestampMs = this.clock.now() - ageMs
    return txids.map((minTXID) => publishFake(this.level0, { minTXID, timestampMs }))
  }

  add(...txids: bigint[]): void {
    this.uploader.add(this.publish(txids))
  }

  /** Resolves when all is shipped; rejects when the uploader gave up. */
  async drained(): Promise<void> {
    await Promise.race([this.uploader.drained(AbortSignal.timeout(10_000)), this.running])
  }

  async ship(...txids: bigint[]): Promise<void> {
    this.add(...txids)
    await this.drained()
  }

  /** Fails the next writes of `txid`, before anything is stored. */
  failBefore(txid: bigint, errors: readonly Error[]): void {
    const left = [...errors]
    this.client.beforeWrite = ({ minTXID }) => {
      const error = minTXID === txid ? left.shift() : undefined
      if (error !== undefined) throw error
    }
  }

  held(): bigint[] {
    return this.client.files.map(({ minTXID }) => minTXID).sort((a, b) => Number(a - b))
  }

  local(): bigint[] {
    return this.level0.list().map(({ minTXID }) => minTXID)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.running.catch(() => undefined)
    this.level0.close()
    this.folder[Symbol.dispose]()
  }
}

function outage(): ObjectStoreError {
  return new ObjectStoreError('OBJECT_UNAVAILABLE', 'out of reach')
}

/** Highest TXID that a restore from these files reaches. */
function reach(held: readonly bigint[]): bigint {
  let txid = 0n
  while (held.includes(txid + 1n)) txid++
  return txid
}

describe('files are shipped in order and acknowledged one by one', () => {
  test('each is acknowledged only when the replica has it', async () => {
    await using ground = new Ground()
    const acknowledged: bigint[] = []
    ground.client.beforeWrite = () => acknowledged.push(ground.uploader.replicatedTXID)
    ground.client.afterWrite = () => acknowledged.push(ground.uploader.replicatedTXID)
    await ground.ship(1n, 2n, 3n)
    expect(ground.client.writes).toEqual([1n, 2n, 3n])
    expect(acknowledged).toEqual([0n, 0n, 1n, 1n, 2n, 2n])
    expect(ground.uploader.replicatedTXID).toBe(3n)
    expect(ground.client.listings).toBe(0)
  })

  test('files that come while others are shipped follow them', async () => {
    await using ground = new Ground()
    ground.client.afterWrite = ({ minTXID }) => {
      if (minTXID === 1n) ground.add(3n)
    }
    await ground.ship(1n, 2n)
    expect(ground.client.writes).toEqual([1n, 2n, 3n])
    await ground.ship(4n)
    expect(ground.uploader.replicatedTXID).toBe(4n)
  })

  test('waiting for the end of the uploads is given up with the reason of the signal', async () => {
    await using ground = new Ground()
    ground.client.beforeWrite = () => {
      throw outage()
    }
    ground.add(1n)
    const stop = new AbortController()
    const waiting = ground.uploader.drained(stop.signal)
    stop.abort(new Error('no time left'))
    await expect(waiting).rejects.toThrow('no time left')
    expect(ground.uploader.lastError).toMatchObject({ code: 'OBJECT_UNAVAILABLE' })
  })
})

describe('after an error the replica is asked what it has', () => {
  test('a file that failed is shipped again, those behind it after it', async () => {
    await using ground = new Ground()
    ground.failBefore(2n, [outage()])
    await ground.ship(1n, 2n, 3n)
    expect(ground.client.writes).toEqual([1n, 2n, 2n, 3n])
    expect(ground.client.listings).toBe(1)
    expect(ground.uploader.lastError).toBeUndefined()
  })

  test('a file that arrived although its upload failed is not shipped again', async () => {
    await using ground = new Ground()
    let isFirst = true
    ground.client.afterWrite = ({ minTXID }) => {
      if (minTXID !== 2n || !isFirst) return
      isFirst = false
      throw outage()
    }
    await ground.ship(1n, 2n, 3n)
    expect(ground.client.writes).toEqual([1n, 2n, 3n])
    expect(ground.uploader.replicatedTXID).toBe(3n)
  })

  test('a hole among files that were shipped before is filled first, and takes the acknowledgement back', async () => {
    await using ground = new Ground()
    await ground.ship(1n, 2n, 3n, 4n)
    ground.client.lose(2n)
    ground.failBefore(5n, [outage()])
    const afterError: boolean[] = []
    ground.client.afterWrite = () => afterError.push(ground.uploader.replicatedTXID <= reach(ground.held()))
    await ground.ship(5n, 6n)
    expect(ground.client.writes.slice(4)).toEqual([5n, 2n, 5n, 6n])
    expect(afterError).toEqual([true, true, true])
    expect(ground.held()).toEqual([1n, 2n, 3n, 4n, 5n, 6n])
    expect(ground.uploader.replicatedTXID).toBe(6n)
  })

  test('no more is acknowledged than a restore reaches while the hole is there', async () => {
    await using ground = new Ground()
    await ground.ship(1n, 2n, 3n)
    ground.client.lose(2n)
    ground.failBefore(4n, [outage()])
    const acknowledged: bigint[] = []
    ground.client.afterWrite = () => acknowledged.push(ground.uploader.replicatedTXID)
    await ground.ship(4n)
    expect(acknowledged).toEqual([1n, 3n])
  })

  test('files beyond a hole that nothing fills are not shipped: only a snapshot helps', async () => {
    await using ground = new Ground()
    await ground.ship(1n, 2n, 3n)
    ground.client.lose(2n)
    ground.level0.remove(ground.level0.list()[1]!)
    ground.failBefore(4n, [outage()])
    ground.add(4n, 5n)
    await expect(ground.running).rejects.toMatchObject({
      code: 'DB_FAILED',
      path: '/app.db',
      message: expect.stringContaining('0000000000000002'),
    })
    expect(ground.held()).toEqual([1n, 3n])
  })

  test('a listing that fails too is tried again after the next pause', async () => {
    await using ground = new Ground()
    ground.failBefore(1n, [outage(), outage()])
    let listings = 0
    ground.client.beforeListing = () => {
      if (++listings === 1) throw outage()
    }
    await ground.ship(1n)
    expect(listings).toBe(2)
    expect(ground.log.some((line) => line.includes('reading the position of the replica failed'))).toBe(true)
  })
})

describe('what ends an uploader', () => {
  test.each([true, false])('other bytes under a name of ours, patient or not: %s', async (isPatient) => {
    await using ground = new Ground({ isPatient })
    const conflict = new ReplicaError('REPLICA_FILE_CONFLICT', 'other bytes')
    ground.failBefore(2n, [conflict])
    ground.add(1n, 2n, 3n)
    await expect(ground.running).rejects.toMatchObject({ code: 'DB_FORKED', cause: conflict })
    expect(ground.held()).toEqual([1n])
    expect(ground.uploader.replicatedTXID).toBe(1n)
  })

  test('what only an operator can mend, for one that has no patience', async () => {
    await using ground = new Ground({ isPatient: false })
    ground.failBefore(1n, [new ObjectStoreError('OBJECT_AUTH_FAILED', 'no')])
    ground.add(1n)
    await expect(ground.running).rejects.toMatchObject({ code: 'OBJECT_AUTH_FAILED' })
    expect(ground.clock.sleepsMs).toEqual([])
  })

  test('not what only an operator can mend, for one that has patience', async () => {
    await using ground = new Ground()
    ground.failBefore(1n, [new ObjectStoreError('OBJECT_AUTH_FAILED', 'no')])
    await ground.ship(1n)
    expect(ground.held()).toEqual([1n])
  })

  test('not what passes by itself, patient or not', async () => {
    await using ground = new Ground({ isPatient: false })
    ground.failBefore(1n, [outage(), new Error('a fault without a name')])
    await ground.ship(1n)
    expect(ground.held()).toEqual([1n])
  })
})

describe('pauses after errors', () => {
  test('double from 250 ms to 30 s, and start anew after a success', async () => {
    await using ground = new Ground()
    ground.failBefore(1n, Array.from({ length: 9 }, outage))
    await ground.ship(1n)
    expect(ground.clock.sleepsMs).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    ground.failBefore(2n, [outage()])
    await ground.ship(2n)
    expect(ground.clock.sleepsMs.slice(9)).toEqual([250])
  })

  test('are said once per 30 s while the fault is the same, and once when it is over', async () => {
    await using ground = new Ground()
    ground.failBefore(1n, Array.from({ length: 9 }, outage))
    await ground.ship(1n, 2n)
    const loud = ground.log.filter((line) => !line.startsWith('debug'))
    expect(loud.map((line) => line.slice(0, line.indexOf(' {')))).toEqual([
      'error upload failed, trying again',
      'error upload failed, trying again',
      'error upload failed, trying again',
      'info uploads go on',
      'info the replica is up to date',
    ])
  })
})

describe('local files that the replica has', () => {
  test('are removed after five minutes, but for the newest', async () => {
    await using ground = new Ground()
    ground.uploader.add(ground.publish([1n, 2n], 6 * MINUTE_MS))
    ground.uploader.add(ground.publish([3n], 5 * MINUTE_MS))
    ground.uploader.add(ground.publish([4n], MINUTE_MS))
    await ground.drained()
    expect(ground.local()).toEqual([3n, 4n])
    ground.clock.advance(10 * MINUTE_MS)
    await ground.ship(5n)
    expect(ground.local()).toEqual([5n])
  })

  test('stay, however old, when nothing newer is in the replica', async () => {
    await using ground = new Ground()
    ground.uploader.add(ground.publish([1n], 60 * MINUTE_MS))
    await ground.drained()
    expect(ground.local()).toEqual([1n])
  })

  test('stay while the replica does not have them', async () => {
    await using ground = new Ground()
    ground.failBefore(2n, Array.from({ length: 20 }, outage))
    ground.add(1n, 2n, 3n)
    ground.client.beforeListing = () => expect(ground.local()).toEqual([1n, 2n, 3n])
    await ground.drained()
    expect(ground.clock.sleepsMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(5 * MINUTE_MS)
    expect(ground.log.some((line) => line.includes('reading the position'))).toBe(false)
  })

  test('are removed in time when they were in the replica before the start', async () => {
    await using ground = new Ground({ replicatedTXID: 2n })
    const old = ground.publish([1n, 2n], 6 * MINUTE_MS)
    ground.uploader.adopt(old)
    await ground.ship(3n)
    expect(old.map(({ path }) => existsSync(path))).toEqual([false, false])
    expect(ground.local()).toEqual([3n])
  })
})
