import { existsSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Application } from '../../helpers/application.ts'
import { runCLI } from '../../helpers/cli.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

test('status goes from no database over not initialized to ok; reset takes it back', async () => {
  using folder = new TemporaryFolder()
  const [path, replica] = [folder.join('app.db'), folder.join('replica')]
  const status = async (): Promise<Record<string, string>> => {
    const { code, stdout } = await runCLI(['status', '-json', path])
    expect(code).toBe(0)
    const [only]: Record<string, string>[] = JSON.parse(stdout)
    return only!
  }
  expect(await status()).toEqual({ database: path, status: 'no database', local_txid: '-', wal_size: '-' })

  await using application = await Application.open(path)
  await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  expect(await status()).toMatchObject({
    status: 'not initialized',
    local_txid: '-',
    wal_size: expect.stringMatching(/ K?B$/),
  })

  expect(await runCLI(['replicate', '-once', path, `file://${replica}`])).toMatchObject({ code: 0 })
  expect(await status()).toMatchObject({ status: 'ok', local_txid: expect.stringMatching(/^[0-9a-f]{16}$/) })
  const table = await runCLI(['status', path])
  expect(table.stdout).toMatch(
    /^database +status +local txid +wal size\n\S+app\.db +ok +[0-9a-f]{16} +\S+ K?B\n$/,
  )

  const state = folder.join('.app.db-replicate')
  expect(await runCLI(['reset', '-dry-run', path])).toEqual({
    code: 0,
    stdout: `would remove: ${state}\n`,
    stderr: '',
  })
  expect(existsSync(state)).toBe(true)
  expect(await runCLI(['reset', path])).toEqual({ code: 0, stdout: `removed: ${state}\n`, stderr: '' })
  expect(existsSync(state)).toBe(false)
  expect(await status()).toMatchObject({ status: 'not initialized', local_txid: '-' })
  expect(await runCLI(['reset', path])).toEqual({
    code: 0,
    stdout: `nothing to remove: ${state}\n`,
    stderr: '',
  })
})

test('after a reset replication continues the chain of the replica', async () => {
  using folder = new TemporaryFolder()
  const [path, replica] = [folder.join('app.db'), folder.join('replica')]
  await using application = await Application.open(path)
  await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  const once = ['replicate', '-once', path, `file://${replica}`]
  expect(await runCLI(once)).toMatchObject({ code: 0 })
  await runCLI(['reset', path])
  await application.exec('INSERT INTO t VALUES (1)')
  expect(await runCLI(once)).toMatchObject({ code: 0 })
  const { stdout } = await runCLI(['ltx', '-level', 'all', '-json', `file://${replica}`])
  const files: { max_txid: string }[] = JSON.parse(stdout)
  expect(Math.max(...files.map((file) => Number.parseInt(file.max_txid, 16)))).toBe(2)
})

test('reset of nothing is an error', async () => {
  using folder = new TemporaryFolder()
  const result = await runCLI(['reset', folder.join('none.db')])
  expect(result).toMatchObject({ code: 1, stdout: '' })
  expect(result.stderr).toMatch(/^Error: database not found: .*none\.db\n/)
})

test('status without an argument shows the databases of the configuration', async () => {
  using folder = new TemporaryFolder()
  writeFileSync(
    folder.join('c.yml'),
    'dbs:\n  - { path: a.db, replica: { path: ra } }\n  - { path: b.db, replica: { path: rb } }\n',
  )
  const { code, stdout } = await runCLI(['status', '-config', 'c.yml'], { cwd: folder.path })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^database.*\n.*a\.db +no database +- +-\n.*b\.db +no database +- +-\n$/)
  const list = await runCLI(['databases', '-config', 'c.yml'], { cwd: folder.path })
  expect(list.stdout).toBe(
    [
      `path${' '.repeat(folder.join('a.db').length - 4)}  replica  url`,
      `${folder.join('a.db')}  file     file://${folder.join('ra')}`,
      `${folder.join('b.db')}  file     file://${folder.join('rb')}`,
      '',
    ].join('\n'),
  )
})
