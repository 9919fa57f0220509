import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Application } from '../../helpers/application.ts'
import { type CLIResult, runCLI } from '../../helpers/cli.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const source = new TemporaryFolder()
const replica = source.join('replica')
const url = `file://${replica}`
const images: Buffer[] = []
let betweenTime = ''

/** Three transactions in the replica; `images[n]` is the database after the n-th, and `betweenTime` after the second. */
beforeAll(async () => {
  await using application = await Application.open(source.join('app.db'))
  for (const sql of [
    'CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)',
    'INSERT INTO t (v) VALUES (randomblob(5000))',
    'INSERT INTO t (v) VALUES (randomblob(9000))',
  ]) {
    await application.exec(sql)
    images.push(await application.image())
    expect(await runCLI(['replicate', '-once', source.join('app.db'), url])).toMatchObject({ code: 0 })
    if (images.length === 2) betweenTime = new Date(Date.now() + 1).toISOString()
    // Times have a resolution of 1 ms, and two states must not share one.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
afterAll(() => source[Symbol.dispose]())

interface Document {
  [key: string]: unknown
  files?: {
    level: number
    min_txid: string
    max_txid: string
    name: string
    size: number
    timestamp: string
  }[]
}

function json(result: CLIResult): Document {
  expect(result).toMatchObject({ code: 0 })
  const document: Document = JSON.parse(result.stdout)
  return document
}

function restore(...args: string[]): Promise<CLIResult> {
  return runCLI(['restore', ...args])
}

async function txids(): Promise<string[]> {
  const listing = await runCLI(['ltx', '-level', 'all', '-json', url])
  expect(listing.code).toBe(0)
  const files: { max_txid: string }[] = JSON.parse(listing.stdout)
  return [...new Set(files.map((file) => file.max_txid))].sort()
}

test('restores the newest state, page by page, and says so in one line', async () => {
  using folder = new TemporaryFolder()
  const output = folder.join('new/folder/out.db')
  const result = await restore('-o', output, url)
  expect(result).toMatchObject({ code: 0, stderr: '' })
  expect(result.stdout).toMatch(/^restored .*out\.db: TXID [0-9a-f]{16}, \S+Z, [\d.]+ KB, \d+ ms\n$/)
  expect(readFileSync(output).equals(images[2]!)).toBe(true)
  expect(readdirSync(folder.join('new/folder'))).toEqual(['out.db'])
})

test('restores the state at a TXID, as hexadecimal in either case and flags in any place', async () => {
  using folder = new TemporaryFolder()
  const all = await txids()
  const [first, , last] = [all.at(-3)!, all.at(-2)!, all.at(-1)!]
  expect(await restore(url, `-txid=${first}`, '-o', folder.join('first.db'))).toMatchObject({ code: 0 })
  expect(readFileSync(folder.join('first.db')).equals(images[0]!)).toBe(true)
  expect(await restore('--txid', last.toUpperCase(), url, '--o', folder.join('last.db'))).toMatchObject({
    code: 0,
  })
  expect(readFileSync(folder.join('last.db')).equals(images[2]!)).toBe(true)
})

test('restores the state at a time', async () => {
  using folder = new TemporaryFolder()
  expect(await restore('-timestamp', betweenTime, '-o', folder.join('x.db'), url)).toMatchObject({ code: 0 })
  expect(readFileSync(folder.join('x.db')).equals(images[1]!)).toBe(true)
})

test('a time after the newest transaction restores the newest, and says so', async () => {
  using folder = new TemporaryFolder()
  const now = new Date().toISOString()
  const result = await restore('-timestamp', now, '-o', folder.join('x.db'), url)
  expect(result.code).toBe(0)
  expect(result.stderr).toMatch(
    /^the time is after the newest transaction, which is from \S+Z and is used\n$/,
  )
  expect(readFileSync(folder.join('x.db')).equals(images[2]!)).toBe(true)
})

test('-json prints one document', async () => {
  using folder = new TemporaryFolder()
  const output = folder.join('x.db')
  expect(json(await restore('-json', '-integrity-check', 'quick', '-o', output, url))).toEqual({
    db_path: output,
    replica: 'file',
    txid: (await txids()).at(-1),
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    size: images[2]!.length,
    duration_ms: expect.any(Number),
    integrity_check: 'quick',
  })
})

test('-dry-run prints the files and writes nothing', async () => {
  using folder = new TemporaryFolder()
  const output = folder.join('x.db')
  const document = json(await restore('-dry-run', '-json', '-o', output, url))
  const last = (await txids()).at(-1)
  expect(document).toMatchObject({ source: url, target_path: output, replica: 'file', max_txid: last })
  expect(document['min_txid']).toBe('0000000000000001')
  const file = document.files!.at(-1)!
  expect(file.max_txid).toBe(last)
  expect(file.name).toBe(`${file.min_txid}-${file.max_txid}.ltx`)
  const text = await restore('-dry-run', '-o', output, url)
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toContain(`would restore ${output}: TXID ${last} from ${url}\nlevel  min_txid`)
  expect(readdirSync(folder.path)).toEqual([])
})

describe('an output that is there already', () => {
  test('is refused and stays as it is', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('x.db'), 'precious')
    const result = await restore('-o', folder.join('x.db'), url)
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/^Error: .*x\.db\nTry: .*-force.*\n$/)
    expect(readFileSync(folder.join('x.db'), 'utf8')).toBe('precious')
  })

  test('is no error with -if-db-not-exists', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('x.db'), 'precious')
    const result = await restore('-if-db-not-exists', '-json', '-o', folder.join('x.db'), url)
    expect(json(result)).toMatchObject({ skipped: true, reason: 'the database exists already' })
    expect(result.stderr).toContain('nothing restored, the database exists already')
    expect(readFileSync(folder.join('x.db'), 'utf8')).toBe('precious')
  })

  test('is replaced with -force', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('x.db'), images[0]!)
    expect(await restore('-force', '-o', folder.join('x.db'), url)).toMatchObject({ code: 0 })
    expect(readFileSync(folder.join('x.db')).equals(images[2]!)).toBe(true)
  })

  test('and is a folder is wrong usage', async () => {
    using folder = new TemporaryFolder()
    mkdirSync(folder.join('x.db'))
    const result = await restore('-force', '-o', folder.join('x.db'), url)
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/^Error: /)
  })
})

describe('what is not there exits with 3, and leaves nothing', () => {
  test.each([
    ['a TXID after the newest', ['-txid', '00000000000fffff']],
    ['the largest TXID', ['-txid', 'ffffffffffffffff']],
    ['a time before the first file', ['-timestamp', '2001-01-01T00:00:00Z']],
    ['a time in the future', ['-timestamp', '2999-01-01T00:00:00+02:00']],
  ])('%s', async (_, args) => {
    using folder = new TemporaryFolder()
    const result = await restore('-o', folder.join('x.db'), ...args, url)
    expect(result).toMatchObject({ code: 3, stdout: '' })
    expect(result.stderr).toMatch(/^Error: [^\n]+\n(Try: [^\n]+\n)?$/)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('an empty replica, unless -if-replica-exists allows it', async () => {
    using folder = new TemporaryFolder()
    const args = ['-o', folder.join('x.db'), `file://${folder.join('none')}`]
    const refused = await restore(...args)
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toMatch(/^Error: .*\nTry: /)
    const allowed = await restore('-if-replica-exists', ...args)
    expect(allowed).toMatchObject({ code: 0, stdout: '' })
    expect(allowed.stderr).toContain('nothing restored, the replica is empty')
    expect(readdirSync(folder.path)).toEqual([])
  })
})

test('-if-replica-exists does not hide a replica path that is a file', async () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('file'), 'x')
  const result = await restore(
    '-if-replica-exists',
    '-o',
    folder.join('x.db'),
    `file://${folder.join('file')}`,
  )
  expect(result).toMatchObject({ code: 2, stdout: '' })
})

test('a damaged file exits with 5 and leaves nothing', async () => {
  using folder = new TemporaryFolder()
  const copy = folder.join('replica')
  const { cpSync } = await import('node:fs')
  cpSync(replica, copy, { recursive: true })
  for (const level of readdirSync(`${copy}/ltx`)) {
    for (const name of readdirSync(`${copy}/ltx/${level}`)) truncateSync(`${copy}/ltx/${level}/${name}`, 150)
  }
  const result = await restore('-o', folder.join('x.db'), `file://${copy}`)
  expect(result).toMatchObject({ code: 5, stdout: '' })
  expect(result.stderr).toMatch(/^Error: /)
  expect(existsSync(folder.join('x.db'))).toBe(false)
})

describe('a database of the configuration', () => {
  test('is restored to its own path, found by a relative one', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('c.yml'), `dbs: [{ path: app.db, replica: { url: "${url}" } }]\n`)
    const options = { cwd: folder.path }
    const databases = await runCLI(['databases', '-config', 'c.yml', '-json'], options)
    expect(JSON.parse(databases.stdout)).toEqual([{ path: folder.join('app.db'), replica: 'file', url }])
    expect(await runCLI(['restore', '-config', 'c.yml', './app.db'], options)).toMatchObject({ code: 0 })
    expect(readFileSync(folder.join('app.db')).equals(images[2]!)).toBe(true)
    const ltx = await runCLI(['ltx', '-config', 'c.yml', 'app.db'], options)
    expect(ltx.stdout).toMatch(/^level {2}min_txid +max_txid +size +created\n0 {6}0{15}\w/)
  })

  test('has to be in it', async () => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('c.yml'), `dbs: [{ path: app.db, replica: { url: "${url}" } }]\n`)
    const result = await runCLI(['restore', '-config', 'c.yml', 'ap.db'], { cwd: folder.path })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/^Error: database is not in c\.yml: .*ap\.db\nTry: .*app\.db\n$/)
  })
})

test('a reader that goes away is no failure', async () => {
  const { spawnSync } = await import('node:child_process')
  const { MAIN } = await import('../../helpers/cli.ts')
  const script = `set -o pipefail; "${process.execPath}" "${MAIN}" ltx -level all "${url}" | true`
  const { status, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
