import { describe, expect, test } from 'vitest'
import type { TXID } from '../../../ltx/index.ts'
import { Application } from '../../helpers/application.ts'
import { randomStatements } from '../../helpers/random-statements.ts'
import { expectSamePages, restoredImage, stateName } from '../../helpers/restored.ts'
import { SteppedReplication } from '../../helpers/stepped-replication.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const STEPS = 60

describe('a random workload comes back at every TXID', () => {
  const first = Number(process.env['SEED'] ?? (Date.now() % 1_000_000) * 10)
  test.each([first, first + 1, first + 2, first + 3])('seed %i', async (seed) => {
    console.log(`random workload: run again with SEED=${seed}`)
    using folder = new TemporaryFolder()
    const path = folder.join('app.db')
    const url = `file://${folder.join('replica')}`
    const random = randomStatements(seed)
    const images = new Map<TXID, Buffer>()
    await using application = await Application.open(path, random.options)
    await application.exec(random.schema)
    let replication = await SteppedReplication.start(path, url, {
      checkpointPages: random.pick([20, 100, 500]),
    })
    for (let step = 0; step < STEPS; step++) {
      await using other = random.chance(0.1) ? await Application.open(path) : undefined
      for (const statement of random.transaction()) await (other ?? application).exec(statement)
      if (other !== undefined && random.chance(0.5)) await other.stop()
      if (random.chance(0.7)) images.set(await replication.catchUp(), await application.image())
      if (random.chance(0.08)) {
        await (random.chance(0.5) ? replication.stop() : replication.abandon())
        if (random.chance(0.5))
          for (const statement of random.transaction()) await application.exec(statement)
        replication = await SteppedReplication.start(path, url)
      }
    }
    images.set(await replication.catchUp(), await application.image())
    await replication.stop()
    for (const [txid, image] of images) {
      expectSamePages(
        await restoredImage(url, folder.join('restored.db'), txid),
        image,
        `seed ${seed}, ${stateName(txid)}`,
      )
    }
    expect(images.size).toBeGreaterThan(5)
  })
})
