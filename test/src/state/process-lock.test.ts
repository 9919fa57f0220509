import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ProcessLock } from '../../../src/state/process-lock.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const HOLDER = fileURLToPath(new URL('../../helpers/fake-lock-holder.ts', import.meta.url))

/** Another process that tries to take the lock of a state folder, and whether it has it. */
async function startHolder(stateFolder: string): Promise<{ child: ChildProcess; hasLock: boolean }> {
  const child = fork(HOLDER, [stateFolder], { execArgv: ['--import', 'tsx'] })
  const [hasLock] = (await once(child, 'message')) as [boolean]
  return { child, hasLock }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

test('one process at a time has the lock, and kill -9 of that process frees it', async () => {
  using folder = new TemporaryFolder()
  const stateFolder = folder.join('state')
  const first = await startHolder(stateFolder)
  expect(first.hasLock).toBe(true)
  expect(ProcessLock.acquire(stateFolder)).toBeUndefined()
  await kill(first.child)
  const lock = ProcessLock.acquire(stateFolder)
  expect(lock).toBeDefined()
  const second = await startHolder(stateFolder)
  expect(second.hasLock).toBe(false)
  await kill(second.child)
  lock!.release()
})

test('two parts of one process do not have it both; a release is final and may be repeated', () => {
  using folder = new TemporaryFolder()
  const first = ProcessLock.acquire(folder.path)!
  expect(ProcessLock.acquire(folder.path)).toBeUndefined()
  first.release()
  first.release()
  const second = ProcessLock.acquire(folder.path)
  expect(second).toBeDefined()
  first.release()
  expect(ProcessLock.acquire(folder.path)).toBeUndefined()
  second!.release()
})
