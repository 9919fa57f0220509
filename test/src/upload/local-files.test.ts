import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TXID } from '../../../ltx/index.ts'
import { ObjectStoreError } from '../../../replica/index.ts'
import { joinChains, type JoinedChain } from '../../../src/database/chain.ts'
import { silentLogger } from '../../../src/logger.ts'
import { Level0Folder } from '../../../src/state/level0-folder.ts'
import { Uploader } from '../../../src/upload/uploader.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { publishFake } from '../../helpers/fake-level0-files.ts'
import { FakeReplicaClient } from '../../helpers/fake-replica-client.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const TEN_MINUTES_MS = 600_000

/** Local files, a replica that is a fake, and an uploader between them. */
class Ground implements Disposable {
  readonly folder: TemporaryFolder = new TemporaryFolder()
  readonly level0: Level0Folder = new Level0Folder(this.folder.join('0'), {
    fileMode: 0o600,
    folderMode: 0o700,
    payload: 'block',
  })
  readonly client: FakeReplicaClient = new FakeReplicaClient()
  readonly clock: FakeClock = new FakeClock()
  readonly #stop = new AbortController()

  /** A file that is here and in the replica. */
  both(minTXID: TXID, timestampMs: number): void {
    const file = publishFake(this.level0, { minTXID, timestampMs })
    this.client.hold(file.minTXID, file.maxTXID, 0, readFileSync(file.path))
  }

  join(): Promise<JoinedChain> {
    const { client, level0 } = this
    return joinChains({
      databasePath: '/app.db',
      stateFolder: this.folder.path,
      client,
      level0,
      logger: silentLogger,
    })
  }

  uploader(replicatedTXID: TXID, reachableTXID?: TXID): Uploader {
    const { client, level0, clock } = this
    const options = { databasePath: '/app.db', client, level0, clock, logger: silentLogger, isPatient: true }
    const uploader = new Uploader(options, replicatedTXID, reachableTXID)
    void uploader.run(this.#stop.signal)
    return uploader
  }

  local(): TXID[] {
    return this.level0.list().map((file) => file.minTXID)
  }

  [Symbol.dispose](): void {
    this.#stop.abort()
    this.level0.close()
    this.folder[Symbol.dispose]()
  }
}

test('a hole that is refilled leaves the newest local file in place, so that the next start goes on', async () => {
  using ground = new Ground()
  const oldMs = ground.clock.now() - TEN_MINUTES_MS
  ground.both(1n, oldMs)
  publishFake(ground.level0, { minTXID: 2n, timestampMs: oldMs })
  ground.both(3n, oldMs)
  const joined = await ground.join()
  const uploader = ground.uploader(joined.replicatedTXID, joined.reachableTXID)
  uploader.adopt(joined.shipped)
  uploader.add(joined.missing)
  await uploader.drained(AbortSignal.timeout(5000))
  expect(uploader.replicatedTXID).toBe(3n)
  expect(ground.local()).toEqual([3n])
  expect((await ground.join()).missing).toEqual([])
})

test('a file that arrived although its upload failed is removed in time too', async () => {
  using ground = new Ground()
  const uploader = ground.uploader(0n)
  let writes = 0
  ground.client.afterWrite = () => {
    if (++writes === 1) throw new ObjectStoreError('OBJECT_UNAVAILABLE', 'the reply was lost')
  }
  const nowMs = ground.clock.now()
  uploader.add([1n, 2n].map((minTXID) => publishFake(ground.level0, { minTXID, timestampMs: nowMs })))
  await uploader.drained(AbortSignal.timeout(5000))
  ground.clock.advance(TEN_MINUTES_MS)
  uploader.add([publishFake(ground.level0, { minTXID: 3n, timestampMs: ground.clock.now() })])
  await uploader.drained(AbortSignal.timeout(5000))
  expect(ground.local()).toEqual([3n])
})

test('a snapshot from the beginning that waits behind other files takes no acknowledgement back', async () => {
  using ground = new Ground()
  const uploader = ground.uploader(0n)
  const seen: TXID[] = []
  ground.client.beforeWrite = () => void seen.push(uploader.replicatedTXID)
  const files = [{ minTXID: 1n }, { minTXID: 2n }, { minTXID: 1n, maxTXID: 3n }]
  uploader.add(files.map((file) => publishFake(ground.level0, file)))
  await uploader.drained(AbortSignal.timeout(5000))
  expect(seen).toEqual([0n, 1n, 2n])
  expect(uploader.replicatedTXID).toBe(3n)
})
