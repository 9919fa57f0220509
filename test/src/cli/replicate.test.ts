import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Application } from '../../helpers/application.ts'
import { runCLI, RunningCLI, until } from '../../helpers/cli.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

/** Restores with the real command and returns the file's bytes. */
async function restored(replica: string, folder: TemporaryFolder, name = 'restored.db'): Promise<Buffer> {
  const result = await runCLI([
    'restore',
    '-o',
    folder.join(name),
    '-integrity-check',
    'full',
    `file://${replica}`,
  ])
  expect(result).toMatchObject({ code: 0, stderr: '' })
  return readFileSync(folder.join(name))
}

function filesOf(replica: string, level = 0): string[] {
  const folder = `${replica}/ltx/${level}`
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ltx')) : []
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains: every commit before it is in the replica, exit code 0',
  async (signal) => {
    using folder = new TemporaryFolder()
    const [path, replica] = [folder.join('app.db'), folder.join('replica')]
    await using application = await Application.open(path)
    await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)')
    await using daemon = new RunningCLI(['replicate', path, `file://${replica}`])
    await until('the first file', () => filesOf(replica).length > 0)
    for (let row = 0; row < 50; row++) await application.exec('INSERT INTO t (v) VALUES (randomblob(500))')
    daemon.kill(signal)
    const { code, stdout, stderr } = await daemon.result
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('level=info msg="starting replication"')
    expect(stderr).toContain('msg="stopped"')
    const image = await application.image()
    expect((await restored(replica, folder)).equals(image)).toBe(true)
  },
)

test('one Ctrl-C that arrives twice, as through npm, still drains', async () => {
  using folder = new TemporaryFolder()
  const [path, replica] = [folder.join('app.db'), folder.join('replica')]
  await using application = await Application.open(path)
  await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  await using daemon = new RunningCLI(['replicate', path, `file://${replica}`])
  await until('the first file', () => filesOf(replica).length > 0)
  daemon.kill('SIGINT')
  daemon.kill('SIGINT')
  daemon.kill('SIGTERM')
  expect(await daemon.result).toMatchObject({ code: 0 })
})

test('-once replicates what is committed and exits with 0', async () => {
  using folder = new TemporaryFolder()
  const [path, replica] = [folder.join('app.db'), folder.join('replica')]
  await using application = await Application.open(path)
  await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)')
  const result = await runCLI(['replicate', '-once', path, `file://${replica}`])
  expect(result).toMatchObject({ code: 0, stdout: '' })
  const image = await application.image()
  expect((await restored(replica, folder)).equals(image)).toBe(true)
})

test('a second replicator of the same database is refused with exit code 1', async () => {
  using folder = new TemporaryFolder()
  const [path, replica] = [folder.join('app.db'), folder.join('replica')]
  await using application = await Application.open(path)
  await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  await using daemon = new RunningCLI(['replicate', path, `file://${replica}`])
  await until('the first file', () => filesOf(replica).length > 0)
  const second = await runCLI(['replicate', path, `file://${replica}`], { env: { LOG_LEVEL: 'error' } })
  expect(second.code).toBe(1)
  expect(second.stderr).toMatch(/^Error: .*app\.db/)
  const reset = await runCLI(['reset', path])
  expect(reset).toMatchObject({ code: 1, stdout: '' })
  expect(reset.stderr).toMatch(
    /^Error: database is being replicated: .*app\.db\nTry: stop the replicator first\n$/,
  )
  daemon.kill('SIGTERM')
  expect(await daemon.result).toMatchObject({ code: 0 })
})

test('a replica path that is a file is wrong configuration', async () => {
  using folder = new TemporaryFolder()
  await using application = await Application.open(folder.join('app.db'))
  await application.exec('CREATE TABLE t (id)')
  writeFileSync(folder.join('file'), 'not a folder')
  const result = await runCLI(['replicate', folder.join('app.db'), `file://${folder.join('file')}`])
  expect(result.code).toBe(2)
  expect(result.stderr).toMatch(/^Error: .*file/m)
  expect(readFileSync(folder.join('file'), 'utf8')).toBe('not a folder')
})

test('a file that is no database is refused and stays as it is', async () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('app.db'), 'some text, long enough to be a header, '.repeat(20))
  const before = readFileSync(folder.join('app.db'))
  const result = await runCLI(['replicate', folder.join('app.db'), `file://${folder.join('replica')}`])
  expect(result.code).toBe(1)
  expect(result.stderr).toMatch(/^Error: .*app\.db/m)
  expect(readFileSync(folder.join('app.db')).equals(before)).toBe(true)
  expect(filesOf(folder.join('replica'))).toEqual([])
})

describe('-restore-if-db-not-exists', () => {
  test('restores a missing database from its replica, then goes on replicating', async () => {
    using folder = new TemporaryFolder()
    const [path, replica] = [folder.join('app.db'), folder.join('replica')]
    await using first = await Application.open(path)
    await first.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)')
    await runCLI(['replicate', '-once', path, `file://${replica}`])
    await first.stop()

    const other = folder.join('other.db')
    await using daemon = new RunningCLI([
      'replicate',
      '-restore-if-db-not-exists',
      other,
      `file://${replica}`,
    ])
    await daemon.logged('msg="restored"')
    const before = filesOf(replica).length
    await using second = await Application.open(other)
    expect(await second.value('SELECT count(*) FROM t')).toBe(1)
    await second.exec('INSERT INTO t VALUES (2)')
    await until('the next file', () => filesOf(replica).length > before)
    daemon.kill('SIGTERM')
    expect(await daemon.result).toMatchObject({ code: 0 })
    const image = await second.image()
    expect((await restored(replica, folder)).equals(image)).toBe(true)
  })

  test('with an empty replica waits for the database, and a stop while waiting is a clean end', async () => {
    using folder = new TemporaryFolder()
    const [path, replica] = [folder.join('app.db'), folder.join('replica')]
    const args = ['replicate', '-restore-if-db-not-exists', path, `file://${replica}`]
    await using stopped = new RunningCLI(args)
    await stopped.logged('waiting for the database')
    stopped.kill('SIGTERM')
    expect(await stopped.result).toMatchObject({ code: 0 })

    await using daemon = new RunningCLI(args)
    await daemon.logged('waiting for the database')
    await using application = await Application.open(path)
    await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)')
    await until('the first file', () => filesOf(replica).length > 0)
    daemon.kill('SIGTERM')
    expect(await daemon.result).toMatchObject({ code: 0 })
    const image = await application.image()
    expect((await restored(replica, folder)).equals(image)).toBe(true)
  })
})

describe('with a configuration', () => {
  test('replicates every database; one that fails leaves the others alone, and gives the exit code', async () => {
    using folder = new TemporaryFolder()
    await using application = await Application.open(folder.join('good.db'))
    await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const config = folder.join('replicate.yml')
    writeFileSync(
      config,
      `addr: ":9090"
dbs:
  - path: ${folder.join('good.db')}
    replica: { type: file, path: ${folder.join('good')} }
  - path: ${folder.join('missing.db')}
    replica: { type: file, path: ${folder.join('missing')} }
`,
    )
    await using daemon = new RunningCLI(['replicate'], { env: { LITESTREAM_CONFIG: config } })
    await daemon.logged('msg="replication failed"')
    await until('the first file', () => filesOf(folder.join('good')).length > 0)
    await application.exec('INSERT INTO t VALUES (7)')
    await until('a second file', () => filesOf(folder.join('good')).length > 1)
    daemon.kill('SIGTERM')
    const { code, stderr } = await daemon.result
    expect(code).toBe(1)
    expect(stderr).toContain(`level=warn msg="addr has no effect: ${config}:1:1"`)
    expect(stderr).toMatch(/level=error msg="replication failed" db=\S+missing\.db .*code=DB_NOT_FOUND/)
    const image = await application.image()
    expect((await restored(folder.join('good'), folder)).equals(image)).toBe(true)
  })

  test('logs JSON when told to, at the level of the command line', async () => {
    using folder = new TemporaryFolder()
    await using application = await Application.open(folder.join('app.db'))
    await application.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const config = folder.join('replicate.yml')
    writeFileSync(
      config,
      `logging: { type: json, level: error }\ndbs: [{ path: ${folder.join('app.db')}, replica: { path: ${folder.join('r')} } }]\n`,
    )
    const quiet = await runCLI(['replicate', '-once', '-config', config])
    expect(quiet).toEqual({ code: 0, stdout: '', stderr: '' })
    const { code, stderr } = await runCLI(['replicate', '-once', '-log-level', 'info', '-config', config])
    expect(code).toBe(0)
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        msg: 'replicated',
        db: folder.join('app.db'),
        txid: expect.stringMatching(/^[0-9a-f]{16}$/),
      }),
    )
  })
})
