import {
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FileObjectStore } from '../../../replica/objects/file-store.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o777

function deviceOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.dev
}

const here = new TemporaryFolder()
const isSharedMemoryApart = deviceOf('/dev/shm') !== undefined && deviceOf('/dev/shm') !== deviceOf(here.path)
here[Symbol.dispose]()

test('a finished file on the same disk is taken by hard link', async () => {
  using folder = new TemporaryFolder()
  const path = folder.join('local')
  writeFileSync(path, 'bytes', { mode: 0o640 })
  const store = new FileObjectStore({ root: folder.join('root') })
  const put = await store.put(
    'a/b',
    { path, sizeBytes: 5 },
    { ifNoneMatch: '*', modifiedMs: 1_780_835_696_789 },
  )
  expect(put).toEqual({ key: 'a/b', sizeBytes: 5, modifiedMs: 1_780_835_696_789 })
  expect(statSync(join(store.root, 'a/b')).ino).toBe(statSync(path).ino)
  rmSync(path)
  expect(readFileSync(join(store.root, 'a/b'), 'utf8')).toBe('bytes')
  expect(readdirSync(join(store.root, 'a'))).toEqual(['b'])
})

test('a file that says its time is linked without setting it again', async () => {
  using folder = new TemporaryFolder()
  const path = folder.join('local')
  writeFileSync(path, 'bytes')
  const { ctimeMs, mtimeMs } = statSync(path)
  const store = new FileObjectStore({ root: folder.join('root') })
  const body = { path, sizeBytes: 5, modifiedMs: 1000 }
  expect(await store.put('a', body, { ifNoneMatch: '*', modifiedMs: 1000 })).toMatchObject({
    modifiedMs: 1000,
  })
  // It is believed: the time on disk is still the one of the write.
  expect(statSync(path).mtimeMs).toBe(mtimeMs)
  expect(statSync(path).ctimeMs).toBeGreaterThanOrEqual(ctimeMs)
})

test('a file without a condition is copied', async () => {
  using folder = new TemporaryFolder()
  const path = folder.join('local')
  writeFileSync(path, 'bytes')
  const store = new FileObjectStore({ root: folder.join('root') })
  await store.put('a', { path, sizeBytes: 5 })
  expect(statSync(join(store.root, 'a')).ino).not.toBe(statSync(path).ino)
})

test.skipIf(!isSharedMemoryApart)('a finished file on another disk is copied, with its time', async () => {
  using folder = new TemporaryFolder()
  const other = mkdtempSync('/dev/shm/replicate-test-')
  try {
    const path = join(other, 'local')
    writeFileSync(path, 'bytes', { mode: 0o644 })
    const store = new FileObjectStore({ root: folder.join('root') })
    const condition = { ifNoneMatch: '*', modifiedMs: 1_780_835_696_789 } as const
    await store.put('a/b', { path, sizeBytes: 5 }, condition)
    expect(readFileSync(join(store.root, 'a/b'), 'utf8')).toBe('bytes')
    expect(statSync(join(store.root, 'a/b')).nlink).toBe(1)
    expect((await store.head('a/b'))!.modifiedMs).toBe(1_780_835_696_789)
    expect(modeOf(join(store.root, 'a/b'))).toBe(0o600)
    await expect(store.put('a/b', { path, sizeBytes: 5 }, condition)).rejects.toMatchObject({
      code: 'OBJECT_PRECONDITION_FAILED',
    })
  } finally {
    rmSync(other, { recursive: true })
  }
})

test('files and folders have the modes asked for, whatever the umask', async () => {
  using folder = new TemporaryFolder()
  const before = process.umask(0o077)
  try {
    const store = new FileObjectStore({ root: folder.join('x/root'), fileMode: 0o664, folderMode: 0o775 })
    await store.put('a/b', Buffer.from('1'))
    expect(['', 'a'].map((name) => modeOf(join(store.root, name)))).toEqual([0o775, 0o775])
    expect(['a/b', 'a/.objects.guard'].map((name) => modeOf(join(store.root, name)))).toEqual([0o664, 0o664])
  } finally {
    process.umask(before)
  }
  const plain = new FileObjectStore({ root: folder.join('plain') })
  await plain.put('a/b', Buffer.from('1'))
  expect(['', 'a', 'a/b'].map((name) => modeOf(join(plain.root, name)))).toEqual([0o700, 0o700, 0o600])
})

test('the root may be a symbolic link, and lie behind one', async () => {
  using folder = new TemporaryFolder()
  mkdirSync(folder.join('real'))
  symlinkSync(folder.join('real'), folder.join('link'))
  const store = new FileObjectStore({ root: folder.join('link') })
  await store.put('a/b', Buffer.from('1'))
  expect(readFileSync(folder.join('real/a/b'), 'utf8')).toBe('1')
  const below = new FileObjectStore({ root: folder.join('link/a') })
  expect(await below.head('b')).toMatchObject({ sizeBytes: 1 })
})

test('a symbolic link below the root is refused, and nothing is written behind it', async () => {
  using folder = new TemporaryFolder()
  mkdirSync(folder.join('outside'))
  mkdirSync(folder.join('root/inside'), { recursive: true })
  writeFileSync(folder.join('outside/secret'), 'secret')
  symlinkSync(folder.join('outside'), folder.join('root/link'))
  symlinkSync(folder.join('outside/secret'), folder.join('root/inside/secret'))
  const store = new FileObjectStore({ root: folder.join('root') })
  const refused = { code: 'OBJECT_UNSAFE_KEY' }
  for (const key of ['link/secret', 'link/deep/er']) {
    await expect(store.get(key)).rejects.toMatchObject(refused)
    await expect(store.head(key)).rejects.toMatchObject(refused)
    await expect(store.put(key, Buffer.from('1'))).rejects.toMatchObject(refused)
    await expect(store.put(key, Buffer.from('1'), { ifNoneMatch: '*' })).rejects.toMatchObject(refused)
    await expect(store.delete([key])).rejects.toMatchObject(refused)
  }
  await expect(store.get('inside/secret')).rejects.toMatchObject(refused)
  const keys: string[] = []
  for await (const object of store.list('')) keys.push(object.key)
  expect(keys).toEqual([])
  expect(readdirSync(folder.join('outside'))).toEqual(['secret'])
  expect(readFileSync(folder.join('outside/secret'), 'utf8')).toBe('secret')
})

test('an object that others linked elsewhere is replaced, not written into', async () => {
  using folder = new TemporaryFolder()
  const store = new FileObjectStore({ root: folder.join('root') })
  await store.put('a', Buffer.from('first'))
  linkSync(join(store.root, 'a'), folder.join('copy'))
  await store.put('a', Buffer.from('second'))
  expect(readFileSync(folder.join('copy'), 'utf8')).toBe('first')
})
