import { randomUUID } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openReplica } from '../../replica/index.ts'
import { filesOf, makeLTX, single, TIME_MS } from '../conformance/replica-client.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

const urlOf = async (url: string): Promise<string> => (await openReplica(url)).url

test('a file url names an absolute folder, read as Litestream reads it', async () => {
  const urls: Record<string, string> = {
    'file:///backups/app': '/backups/app',
    'FILE:///backups/app': '/backups/app',
    'file:/backups/app': '/backups/app',
    'file://backups/app': '/backups/app',
    'file:///backups//app/./x/../': '/backups/app',
    'file:///backups/app?retention=1h': '/backups/app',
    'file:///back%20ups/app': '/back%20ups/app',
    'file:///back ups/#1': '/back ups/#1',
  }
  for (const [url, path] of Object.entries(urls)) {
    const client = await openReplica(url)
    expect(client).toMatchObject({ type: 'file', url: `file://${path}` })
  }
})

test('a plain path is a file replica, taken as it is', async () => {
  expect(await urlOf('/backups/app')).toBe('file:///backups/app')
  expect(await urlOf('/backups/a%20b?c')).toBe('file:///backups/a%20b?c')
  expect(await urlOf('./backups')).toBe(`file://${resolve('backups')}`)
  expect(await urlOf('../backups')).toBe(`file://${resolve('../backups')}`)
})

test('memory urls of one name open one replica', async () => {
  const name = randomUUID()
  const client = await openReplica(`memory:${name}`)
  expect(client).toMatchObject({ type: 'memory', url: `memory:${name}` })
  await client.writeLTXFile(single(1n), makeLTX(1n, 1n), { timestampMs: TIME_MS })
  expect(await filesOf(await openReplica(`memory://${name}`), 0)).toHaveLength(1)
})

test('a url that names no place is REPLICA_BAD_URL', async () => {
  const bad = [
    '',
    ' ',
    '/',
    '//',
    '/..',
    'file:',
    'file://',
    'file:///',
    'file:////',
    'file:///..',
    'file:///a/..',
    'file://?x',
    'file:backups',
    'file://./backups',
    'file://../backups',
    'file://..',
    'backups/app',
    'memory:',
    'memory://',
    '/a\0b',
  ]
  for (const url of bad) {
    await expect(openReplica(url), JSON.stringify(url)).rejects.toMatchObject({ code: 'REPLICA_BAD_URL' })
  }
})

test('an unknown scheme is refused with the nearest known one', async () => {
  const nearest: Record<string, string> = {
    fil: 'file',
    flie: 'file',
    memroy: 'memory',
    s4: 's3',
    'sft+p': 'sftp',
    webdaw: 'webdav',
  }
  for (const [scheme, name] of Object.entries(nearest)) {
    await expect(openReplica(`${scheme}://a/b`)).rejects.toMatchObject({
      code: 'REPLICA_UNKNOWN_SCHEME',
      message: expect.stringContaining(scheme),
      hint: `did you mean ${name}:?`,
    })
  }
  await expect(openReplica('somethingelse://a/b')).rejects.toMatchObject({
    code: 'REPLICA_UNKNOWN_SCHEME',
    hint: 'name a folder, such as file:///backups/app',
  })
})

test('a scheme of Litestream that is not there yet is named, and nothing of the rest of the url', async () => {
  for (const scheme of ['s3', 'gs', 'abs', 'sftp', 'nats', 'oss', 'webdav', 'webdavs', 'S3']) {
    const error: unknown = await openReplica(`${scheme}://user:secret@host/path?key=secret`).catch(
      (error: unknown) => error,
    )
    expect(error).toMatchObject({
      code: 'REPLICA_UNSUPPORTED_SCHEME',
      message: expect.stringContaining(scheme.toLowerCase()),
    })
    expect(JSON.stringify([String(error), error])).not.toContain('secret')
  }
})

test('opening makes nothing, and a file in the place of the folder is refused', async () => {
  using folder = new TemporaryFolder()
  await (await openReplica(`file://${folder.join('a')}`)).close()
  expect(readdirSync(folder.path)).toEqual([])
  writeFileSync(folder.join('a'), 'x')
  await expect(openReplica(`file://${folder.join('a')}`)).rejects.toMatchObject({
    code: 'REPLICA_NOT_A_FOLDER',
  })
  await expect(openReplica(folder.join('a'))).rejects.toMatchObject({ code: 'REPLICA_NOT_A_FOLDER' })
})
