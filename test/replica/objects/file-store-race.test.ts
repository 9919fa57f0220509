import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { readAll } from '../../conformance/object-store.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'
import type { RaceAnswer, RaceOrder } from './race-child.ts'

const CHILD = fileURLToPath(new URL('race-child.ts', import.meta.url))
const PROCESSES = 8
const ROUNDS = 100
const HEAD_START_MS = 2

function answer(child: ChildProcess): Promise<boolean | number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: RaceAnswer) => {
      if ('error' in message) reject(new Error(message.error))
      else resolve(message.value)
    })
  })
}

function ask(child: ChildProcess, order: RaceOrder): Promise<boolean | number> {
  const answered = answer(child)
  child.send(order)
  return answered
}

describe.each([true, false])('file store raced by 8 processes, hard links: %s', (hardLinks) => {
  const folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.join('root'), hardLinks })
  let children: ChildProcess[] = []

  const askAll = (orderOf: (i: number) => RaceOrder): Promise<(boolean | number)[]> =>
    Promise.all(children.map((child, i) => ask(child, orderOf(i))))
  const text = async (key: string): Promise<string> => String(await readAll((await store.get(key))?.bytes))

  beforeAll(async () => {
    children = Array.from({ length: PROCESSES }, () =>
      fork(CHILD, [store.root, String(hardLinks)], { execArgv: ['--import', 'tsx'] }),
    )
    await Promise.all(children.map(answer))
  })
  afterAll(async () => {
    const exits = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill()
    await Promise.all(exits)
    folder[Symbol.dispose]()
  })

  test('an absent key is created by exactly one, in each of 100 rounds', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `locks/${round}.json`
      const startAtMs = Date.now() + HEAD_START_MS
      const wins = await askAll((i) => ({
        do: 'put',
        key,
        text: `${i}`,
        startAtMs,
        options: { ifNoneMatch: '*' },
      }))
      expect(wins.filter(Boolean)).toHaveLength(1)
      expect(await text(key)).toBe(String(wins.indexOf(true)))
    }
  })

  test('a version is replaced by exactly one, in each of 100 rounds', async () => {
    let { etag } = await store.put('lock.json', Buffer.from('start'))
    for (let round = 0; round < ROUNDS; round++) {
      const startAtMs = Date.now() + HEAD_START_MS
      const options = { ifMatch: etag }
      const wins = await askAll((i) => ({
        do: 'put',
        key: 'lock.json',
        text: `${round} ${i}`,
        startAtMs,
        options,
      }))
      expect(wins.filter(Boolean)).toHaveLength(1)
      expect(await text('lock.json')).toBe(`${round} ${wins.indexOf(true)}`)
      etag = (await store.head('lock.json'))!.etag
    }
  })

  test('a counter that all increment loses nothing', async () => {
    const times = 25
    await askAll(() => ({ do: 'count', key: 'counter', times }))
    expect(await text('counter')).toBe(String(PROCESSES * times))
  })

  test('keys that are created and deleted by all, with their folder, fail nobody', async () => {
    const times = 60
    const created = await askAll((i) => ({ do: 'churn', key: `come/and/go/${i % 3}`, times }))
    expect(created.reduce<number>((sum, count) => sum + Number(count), 0)).toBeGreaterThan(times)
    expect(await store.head('come/and/go/0')).toBeUndefined()
  })

  test('nothing but objects and guards is left', () => {
    const left = readdirSync(store.root, { recursive: true }).map(String)
    expect(left.filter((name) => /(?:\.tmp|-journal)$/.test(name))).toEqual([])
  })
})
