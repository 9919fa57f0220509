import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fileError } from '../../../replica/objects/file-errors.ts'
import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const isRoot = process.getuid?.() === 0

function canMount(): boolean {
  using folder = new TemporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder.path], { stdio: 'ignore' })
    execFileSync('umount', [folder.path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const isMounting = isRoot && canMount()

async function withTmpfs(options: string, action: (path: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder.path])
  try {
    await action(folder.path)
  } finally {
    execFileSync('umount', [folder.path])
  }
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) void item
}

const bytes = Buffer.from('1')

test('a root that is a file is an error of every call, and not an empty store', async () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('file'), 'x')
  for (const root of [folder.join('file'), folder.join('file/below')]) {
    const store = new FileObjectStore({ root })
    for (const key of ['a', 'a/b']) {
      const refused = {
        code: 'OBJECT_NOT_A_FOLDER',
        retryable: false,
        hint: expect.stringContaining('folder'),
      }
      await expect(store.get(key)).rejects.toMatchObject(refused)
      await expect(store.head(key)).rejects.toMatchObject(refused)
      await expect(store.put(key, bytes)).rejects.toMatchObject(refused)
      await expect(store.put(key, bytes, { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
      await expect(drain(store.list(key))).rejects.toMatchObject(refused)
      await expect(store.delete([key])).rejects.toMatchObject(refused)
    }
    await expect(drain(store.list(''))).rejects.toMatchObject({ code: 'OBJECT_NOT_A_FOLDER' })
  }
})

test('reading and deleting make no folder', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.join('not/there') })
  expect(await store.get('a/b')).toBeUndefined()
  expect(await store.head('a')).toBeUndefined()
  await drain(store.list('a/'))
  await drain(store.list(''))
  await store.delete(['a/b', 'c'])
  expect(readdirSync(folder.path)).toEqual([])
})

test('the last key takes its folder with it, and a put brings it back', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.join('root') })
  await store.put('a/b/c', bytes, { ifNoneMatch: '*' })
  await store.put('a/d', bytes, { ifNoneMatch: '*' })
  await store.delete(['a/b/c'])
  expect(readdirSync(join(store.root, 'a'))).toEqual(['d'])
  await store.delete(['a/d'])
  expect(readdirSync(store.root)).toEqual([])
  await store.put('a/b/c', bytes, { ifNoneMatch: '*' })
  rmSync(store.root, { recursive: true })
  writeFileSync(folder.join('body'), 'x')
  await store.put('a/b/c', { path: folder.join('body'), sizeBytes: 1 }, { ifNoneMatch: '*' })
  rmSync(store.root, { recursive: true })
  await store.put('a/b/c', bytes)
  expect(await store.head('a/b/c')).toMatchObject({ sizeBytes: 1 })
})

const NOBODY = 65534

// Permission bits mean nothing to root, so root becomes somebody else for a while.
async function asNobody(path: string, action: () => Promise<void>): Promise<void> {
  if (!isRoot) return action()
  execFileSync('chown', ['-R', String(NOBODY), path])
  process.seteuid?.(NOBODY)
  try {
    await action()
  } finally {
    process.seteuid?.(0)
  }
}

test('missing permission is OBJECT_AUTH_FAILED', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.join('root') })
  await store.put('a/b', bytes)
  writeFileSync(folder.join('body'), 'x')
  await asNobody(folder.path, async () => {
    chmodSync(join(store.root, 'a'), 0o000)
    const refused = { code: 'OBJECT_AUTH_FAILED', retryable: false, cause: { code: 'EACCES' } }
    const body = { path: folder.join('body'), sizeBytes: 1 }
    await expect(store.head('a/b')).rejects.toMatchObject(refused)
    await expect(store.get('a/b')).rejects.toMatchObject(refused)
    await expect(store.put('a/c', bytes)).rejects.toMatchObject(refused)
    await expect(store.put('a/c', body, { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
    await expect(new FileObjectStore({ root: store.root }).put('a/c/d', bytes)).rejects.toMatchObject(refused)
    await expect(drain(store.list('a/'))).rejects.toMatchObject(refused)
    await expect(drain(store.list(''))).rejects.toMatchObject(refused)
    await expect(store.delete(['a/b'])).rejects.toMatchObject({ code: 'OBJECT_AUTH_FAILED' })
    chmodSync(join(store.root, 'a'), 0o700)
  })
})

// Root may do everything but write to a file that is marked immutable.
function canMarkImmutable(): boolean {
  using folder = new TemporaryFolder()
  try {
    execFileSync('chattr', ['+i', folder.path], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', folder.path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.skipIf(!isRoot || !canMarkImmutable())(
  'a folder that may not be changed is OBJECT_AUTH_FAILED',
  async () => {
    using folder = new TemporaryFolder()
    const store = new FileObjectStore({ root: folder.join('root') })
    await store.put('a', bytes)
    writeFileSync(folder.join('body'), 'x')
    execFileSync('chattr', ['+i', store.root])
    try {
      const refused = { code: 'OBJECT_AUTH_FAILED', retryable: false, cause: { code: 'EPERM' } }
      await expect(store.put('b', bytes)).rejects.toMatchObject(refused)
      const body = { path: folder.join('body'), sizeBytes: 1 }
      await expect(store.put('b', body, { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
      await expect(store.delete(['a'])).rejects.toMatchObject(refused)
    } finally {
      execFileSync('chattr', ['-i', store.root])
    }
  },
)

test.skipIf(!isMounting)(
  'a full disk is OBJECT_NO_SPACE, leaves nothing, and passes when there is room',
  async () => {
    await withTmpfs('size=256k', async (path) => {
      const store = new FileObjectStore({ root: join(path, 'root') })
      for (const condition of [{}, { ifNoneMatch: '*' as const }]) {
        for (const body of [new Uint8Array(400_000), stream(2_000_000)]) {
          await expect(store.put('a', body, condition)).rejects.toMatchObject({
            code: 'OBJECT_NO_SPACE',
            retryable: false,
            cause: { code: 'ENOSPC' },
          })
          expect(readdirSync(store.root).filter((name) => name !== '.objects.guard')).toEqual([])
        }
      }
      expect(await store.put('a', new Uint8Array(100_000))).toMatchObject({ sizeBytes: 100_000 })
    })
  },
)

async function* stream(sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += 50_000) yield new Uint8Array(50_000)
}

test.skipIf(!isMounting)('a read-only file system is OBJECT_READ_ONLY, and is still read', async () => {
  await withTmpfs('size=1m', async (path) => {
    const store = new FileObjectStore({ root: join(path, 'root') })
    await store.put('a/b', bytes)
    execFileSync('mount', ['-o', 'remount,ro', path])
    const refused = { code: 'OBJECT_READ_ONLY', retryable: false, cause: { code: 'EROFS' } }
    await expect(store.put('a/c', bytes)).rejects.toMatchObject(refused)
    await expect(store.put('d/e', bytes)).rejects.toMatchObject(refused)
    await expect(new FileObjectStore({ root: store.root }).put('f', bytes)).rejects.toMatchObject(refused)
    await expect(store.delete(['a/b'])).rejects.toMatchObject({
      code: expect.stringMatching(/READ_ONLY|AUTH_FAILED/),
    })
    expect(await store.head('a/b')).toMatchObject({ sizeBytes: 1 })
  })
})

test('each errno has its code, and what is no system error stays itself', () => {
  const codes = {
    EACCES: 'OBJECT_AUTH_FAILED',
    EPERM: 'OBJECT_AUTH_FAILED',
    ENOSPC: 'OBJECT_NO_SPACE',
    EDQUOT: 'OBJECT_NO_SPACE',
    EROFS: 'OBJECT_READ_ONLY',
    ENOTDIR: 'OBJECT_NOT_A_FOLDER',
    EISDIR: 'OBJECT_IS_A_FOLDER',
    ELOOP: 'OBJECT_UNSAFE_KEY',
    EIO: 'OBJECT_UNAVAILABLE',
    EMFILE: 'OBJECT_UNAVAILABLE',
    ESTALE: 'OBJECT_UNAVAILABLE',
    EBUSY: 'OBJECT_UNAVAILABLE',
  }
  for (const [errno, code] of Object.entries(codes)) {
    const cause = Object.assign(new Error(errno), { code: errno, errno: -1 })
    const retryable = code === 'OBJECT_UNAVAILABLE'
    expect(fileError(cause, 'write', '/x', 'k')).toMatchObject({
      code,
      cause,
      retryable,
      path: '/x',
      key: 'k',
    })
  }
  const bug = new TypeError('a bug')
  expect(fileError(bug, 'write', '/x')).toBe(bug)
})

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

test.skipIf(!existsSync('/proc/self/fd'))(
  'descriptors are closed at the end, on a break, an abort, and a bad range',
  async () => {
    using folder = new TemporaryFolder()
    const store = new FileObjectStore({ root: folder.path })
    await store.put('a', new Uint8Array(1_000_000))
    const before = openDescriptors()
    await drain((await store.get('a'))!.bytes)
    for await (const chunk of (await store.get('a'))!.bytes) if (chunk.length > 0) break
    const unread = (await store.get('a'))!.bytes[Symbol.asyncIterator]()
    await unread.return?.()
    const controller = new AbortController()
    const aborted = (await store.get('a', { signal: controller.signal }))!
    controller.abort(new Error('given up'))
    await expect(drain(aborted.bytes)).rejects.toThrow('given up')
    await expect(store.get('a', { range: { offset: -1 } })).rejects.toThrow('range offset')
    await store.head('a')
    expect(openDescriptors()).toBe(before)
  },
)

test('a file that shrinks while it is read is an error, not a short object', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.path })
  await store.put('a', new Uint8Array(1_000_000))
  const { bytes } = (await store.get('a'))!
  writeFileSync(folder.join('a'), 'x')
  await expect(drain(bytes)).rejects.toMatchObject({ code: 'OBJECT_UNAVAILABLE', retryable: true })
})

test('what is no regular file is no object', async () => {
  using folder = new TemporaryFolder()
  execFileSync('mkfifo', [folder.join('pipe')])
  const store = new FileObjectStore({ root: folder.path })
  expect(await store.get('pipe')).toBeUndefined()
  expect(statSync(folder.join('pipe')).isFIFO()).toBe(true)
  await expect(store.put('pipe', bytes, { ifNoneMatch: '*' })).rejects.toMatchObject({
    code: 'OBJECT_PRECONDITION_FAILED',
  })
})

test('a guard that another process holds is waited for until the timeout or the abort', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.path, guardTimeoutMs: 100 })
  const { etag } = await store.put('a', bytes)
  const holder = new Database(folder.join('.objects.guard'))
  holder.exec('BEGIN IMMEDIATE')
  const refused = { code: 'OBJECT_UNAVAILABLE', retryable: true, hint: expect.any(String) }
  await expect(store.put('a', Buffer.from('2'), { ifMatch: etag })).rejects.toMatchObject(refused)
  await expect(store.put('a', Buffer.from('2'))).rejects.toMatchObject(refused)
  await expect(store.delete(['a'])).rejects.toMatchObject(refused)
  const patient = new FileObjectStore({ root: folder.path })
  await expect(patient.put('a', Buffer.from('2'), { signal: AbortSignal.timeout(50) })).rejects.toMatchObject(
    { name: 'TimeoutError' },
  )
  const waiting = patient.put('a', Buffer.from('3'), { ifMatch: etag })
  holder.close()
  expect(await waiting).toMatchObject({ sizeBytes: 1 })
  expect(readdirSync(folder.path).sort()).toEqual(['.objects.guard', 'a'])
})

test('a create-only put of a new key does not need the guard', async () => {
  using folder = new TemporaryFolder()
  const holder = new Database(folder.join('.objects.guard'))
  holder.exec('BEGIN IMMEDIATE')
  const store = new FileObjectStore({ root: folder.path, guardTimeoutMs: 0 })
  await store.put('a', bytes, { ifNoneMatch: '*' })
  expect(await store.head('a')).toMatchObject({ sizeBytes: 1 })
  holder.close()
})

test('the lock of a guard dies with its process', async () => {
  using folder = new TemporaryFolder()
  const script = `
    const Database = require('better-sqlite3')
    new Database(${JSON.stringify(folder.join('.objects.guard'))}).exec('BEGIN IMMEDIATE')
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const exited = once(child, 'exit')
  const waiting = new FileObjectStore({ root: folder.path }).put('a', bytes)
  child.kill('SIGKILL')
  await exited
  expect(await waiting).toMatchObject({ sizeBytes: 1 })
})

test('an open file elsewhere does not keep an object from being replaced or deleted', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.path })
  await store.put('a', bytes)
  const fd = openSync(folder.join('a'), 'r')
  await store.put('a', Buffer.from('22'))
  await store.delete(['a'])
  closeSync(fd)
  mkdirSync(folder.join('a'))
  expect(await store.head('a')).toBeUndefined()
})
