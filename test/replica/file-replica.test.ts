import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFileReplica } from '../../replica/index.ts'
import { filesOf, makeLTX, single, testReplicaClient, TIME_MS } from '../conformance/replica-client.ts'
import { copyFixtureReplica } from '../helpers/fixture-replica.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

testReplicaClient('file', { create: openFileReplica, supports: { timeInListing: true } })

testReplicaClient('file without hard links', {
  create: (folder) => openFileReplica(folder, { hardLinks: false }),
  supports: { timeInListing: true },
})

test('files stand where Litestream looks for them, with their time as modification time', async () => {
  using folder = new TemporaryFolder()
  const client = await openFileReplica(folder.path)
  await client.writeLTXFile({ level: 9, minTXID: 1n, maxTXID: 0xabcn }, makeLTX(1n, 0xabcn), {
    timestampMs: TIME_MS,
  })
  const path = folder.join('ltx/9/0000000000000001-0000000000000abc.ltx')
  // Litestream cuts to whole milliseconds, it does not round.
  expect(Math.floor(statSync(path).mtimeMs)).toBe(TIME_MS)
  expect(readdirSync(folder.join('ltx/9'))).toHaveLength(1)
})

test('a replica that Litestream wrote is read', async () => {
  const fixture = await copyFixtureReplica('replica-litestream')
  try {
    const client = await openFileReplica(fixture.folder)
    for (const level of [0, 1, 2, 9]) {
      const files = await filesOf(client, level)
      const names = readdirSync(join(fixture.folder, 'ltx', String(level)))
      expect(files).toHaveLength(names.length)
      for (const file of files) expect(file.createdAtMs % 1).toBe(0)
    }
    await client.deleteAll()
    expect(readdirSync(fixture.folder)).toEqual([])
  } finally {
    await fixture.remove()
  }
})

test('what is not named like an LTX file is left out, and left alone', async () => {
  using folder = new TemporaryFolder()
  const client = await openFileReplica(folder.path)
  await client.writeLTXFile(single(2n), makeLTX(2n, 2n), { timestampMs: TIME_MS })
  const others = [
    '0000000000000001-0000000000000001.ltx.tmp',
    '000000000000000A-000000000000000A.ltx',
    '0-1.ltx',
    'README',
    '0000000000000000-0000000000000001.ltx',
    '0000000000000003-0000000000000002.ltx',
    '.DS_Store',
  ]
  for (const name of others) writeFileSync(folder.join('ltx/0', name), 'x')
  mkdirSync(folder.join('ltx/0/0000000000000007-0000000000000007.ltx'))
  symlinkSync('/etc/hostname', folder.join('ltx/0/0000000000000008-0000000000000008.ltx'))
  mkdirSync(folder.join('generations/x'), { recursive: true })
  writeFileSync(folder.join('lock.json'), '{}')
  expect((await filesOf(client, 0)).map((file) => file.minTXID)).toEqual([2n])
  await client.deleteAll()
  expect(readdirSync(folder.join('ltx/0'))).toHaveLength(others.length + 2)
  expect(readdirSync(folder.path).sort()).toEqual(['generations', 'lock.json', 'ltx'])
})

test('opening and reading make no folder', async () => {
  using folder = new TemporaryFolder()
  const client = await openFileReplica(folder.join('a/b'))
  expect(await filesOf(client, 0)).toEqual([])
  expect(await client.openLTXFile(single(1n))).toBeUndefined()
  await client.deleteAll()
  await client.close()
  expect(existsSync(folder.join('a'))).toBe(false)
})

test('a replica that is a file is refused when it is opened, and when it becomes one later', async () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('file'), 'x')
  for (const path of [folder.join('file'), folder.join('file/below')]) {
    await expect(openFileReplica(path)).rejects.toMatchObject({
      code: 'REPLICA_NOT_A_FOLDER',
      path,
      hint: expect.any(String),
    })
  }
  const client = await openFileReplica(folder.join('later'))
  writeFileSync(folder.join('later'), 'x')
  await expect(filesOf(client, 0)).rejects.toMatchObject({ code: 'OBJECT_NOT_A_FOLDER' })
})
