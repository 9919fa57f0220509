import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyPlan } from '../../../src/restore/apply-plan.ts'
import { planRestore } from '../../../src/restore/index.ts'
import { TempFile } from '../../../src/restore/temp-file.ts'
import { quickClock } from './chain-ground.ts'
import { namesIn, pages, SyntheticReplica, testFolder } from './restore-ground.ts'

test('room is asked for only as far as the file grows beyond what it has had', async () => {
  const pageSize = 1024
  const replica = new SyntheticReplica()
  replica.add({ level: 9, min: 1, max: 1, pageSize, commit: 40, pages: pages(pageSize, 1, 40, 1) })
  for (const [txid, before, commit] of [
    [2, 40, 42],
    [3, 42, 10],
    [4, 10, 41],
    [5, 41, 45],
  ] as const) {
    replica.add({ min: txid, max: txid, pageSize, commit, pages: pages(pageSize, before + 1, commit, txid) })
  }
  await using client = await replica.open()
  const plan = await planRestore((level, o) => client.ltxFiles(level, o), {}, { nowMs: Date.now() })
  const folder = testFolder()
  const file = TempFile.create(join(folder, 'out.db'))
  const asked: number[] = []
  const applied = await applyPlan(plan, {
    client,
    clock: quickClock(),
    file,
    parallelism: 2,
    planAgain: () => Promise.reject(new Error('planned again')),
    requireSpace: async (sizeBytes) => {
      asked.push(sizeBytes)
    },
  })
  expect(applied).toMatchObject({ txid: 5n, sizeBytes: 45 * pageSize })
  expect(readFileSync(file.path).length).toBe(45 * pageSize)
  expect(asked).toEqual([40 * pageSize, 2 * pageSize, 3 * pageSize])
  await file.discard()
  expect(namesIn(folder)).toEqual([])
})
