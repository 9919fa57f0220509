import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pidSpace, startOfProcess } from '../../../replica/objects/file-process.ts'
import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { tempName } from '../../../replica/objects/file-temp.ts'
import { readAll } from '../../conformance/object-store.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

async function crashMidway(root: string, key: string, condition: 'new' | 'any'): Promise<void> {
  const child = fork(CHILD, [root, key, condition], { execArgv: ['--import', 'tsx'] })
  const exited = once(child, 'exit')
  await once(child, 'message')
  child.kill('SIGKILL')
  await exited
}

async function keysOf(store: FileObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const object of store.list('')) keys.push(object.key)
  return keys
}

// Other tools left a temporary file beside the final one after a crash.
test('a process killed in the middle of a put leaves nothing that can be seen, and the next writer clears it away', async () => {
  using folder = new TemporaryFolder()
  await crashMidway(folder.path, 'ltx/0/new', 'new')
  await crashMidway(folder.path, 'ltx/1/old', 'any')
  const filesIn = (level: string): string[] => readdirSync(folder.join(level))
  for (const level of ['ltx/0', 'ltx/1'])
    expect(filesIn(level)).toEqual([expect.stringMatching(/^\..*\.tmp$/)])

  const store = new FileObjectStore({ root: folder.path })
  expect(await keysOf(store)).toEqual([])
  expect(await store.get('ltx/0/new')).toBeUndefined()
  // Reading clears nothing away: it may have no right to.
  for (const level of ['ltx/0', 'ltx/1']) expect(filesIn(level)).toHaveLength(1)

  await store.put('ltx/0/new', Buffer.from('whole'), { ifNoneMatch: '*' })
  expect(filesIn('ltx/0')).toEqual(['new'])
  expect(String(await readAll((await store.get('ltx/0/new'))?.bytes))).toBe('whole')
})

test('an object survives a writer of its next version that is killed', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.path })
  await store.put('a', Buffer.from('first'))
  await crashMidway(folder.path, 'a', 'any')
  expect(String(await readAll((await store.get('a'))?.bytes))).toBe('first')
})

test('temporary files are removed only when their process is certainly gone', async () => {
  using folder = new TemporaryFolder()
  const now = Date.now()
  const mine = tempName()
  const [pid, start] = [process.pid, startOfProcess(process.pid)]
  const gone = `.${pidSpace()}-${2 ** 22 + 1}-1-a.tmp`
  const sameNumber = `.${pidSpace()}-${pid}-${BigInt(start) + 1n}-b.tmp`
  const elsewhere = '.00000000-1-1-c.tmp'
  const foreign = 'other.tmp'
  mkdirSync(folder.path, { recursive: true })
  for (const name of [mine, gone, sameNumber, elsewhere, foreign]) writeFileSync(folder.join(name), 'x')
  // What counts is when it changed, not the time that it is to carry.
  for (const name of [mine, elsewhere]) utimesSync(folder.join(name), 1, 1)

  await new FileObjectStore({ root: folder.path, now: () => now }).put('a', Buffer.from('1'), {
    ifNoneMatch: '*',
  })
  expect(readdirSync(folder.path).sort()).toEqual([mine, elsewhere, foreign, 'a'].sort())

  const tomorrow = now + 25 * 60 * 60 * 1000
  await new FileObjectStore({ root: folder.path, now: () => tomorrow }).put('b', Buffer.from('1'), {
    ifNoneMatch: '*',
  })
  expect(readdirSync(folder.path).sort()).toEqual([mine, foreign, 'a', 'b'].sort())
})
