import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCLI } from '../../helpers/cli.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const VERBS = ['replicate', 'restore', 'ltx', 'databases', 'status', 'reset', 'version']

describe('help', () => {
  test('a bare command prints the usage on stderr and exits with 2', async () => {
    const { code, stdout, stderr } = await runCLI([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    for (const verb of VERBS) expect(stderr).toContain(`  ${verb}`)
  })

  test.each([['--help'], ['-help'], ['-h'], ['help']])(
    '%s prints the usage on stdout and exits with 0',
    async (arg) => {
      const { code, stdout, stderr } = await runCLI([arg])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('Usage: replicate COMMAND')
    },
  )

  test.each(VERBS)('%s -h has a summary, flags, two examples and the exit codes', async (verb) => {
    const { code, stdout, stderr } = await runCLI([verb, '-h'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: replicate ${verb}`))
    expect(stdout.match(/^ {2}replicate /gm)).toHaveLength(2)
    expect(stdout).toContain('Exit codes:\n  0  done')
  })

  test('the help of restore shows its defaults', async () => {
    const { stdout } = await runCLI(['help', 'restore'])
    expect(stdout).toMatch(/--parallelism <count>.*\(default: "8"\)/)
    expect(stdout).toMatch(/--integrity-check <kind>.*\(default: "none"\)/)
  })
})

test('version prints the version of the package, and more when asked', async () => {
  const plain = await runCLI(['version'])
  expect(plain).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
  expect(await runCLI(['--version'])).toEqual(plain)
  const verbose = await runCLI(['version', '-verbose'])
  expect(verbose.stdout).toContain(`sqlite-replicate ${plain.stdout}node ${process.versions.node}\nsqlite 3.`)
})

describe('wrong usage exits with 2 and says what to write instead', () => {
  const url = 'file:///nowhere/replica'
  test.each([
    [['restor', url], 'unknown command: restor', 'replicate restore'],
    [['frobnicate'], 'unknown command: frobnicate', 'replicate --help'],
    [['-tixd'], 'unknown flag: -tixd: replicate', 'replicate --help'],
    [['restore', '-tixd', '1', url], 'unknown flag: -tixd: replicate restore', '-txid'],
    [['restore', '--time-stamp=1', url], 'unknown flag: -time-stamp: replicate restore', '-timestamp'],
    [['replicate', '-exec', 'true', 'a.db', url], 'unknown flag: -exec: replicate replicate', ''],
    [['restore'], "missing required argument 'DB_PATH|REPLICA_URL'", 'replicate restore --help'],
    [['restore', url, url], 'too many arguments', 'replicate restore --help'],
    [['restore', url], `no output for the restore of a replica URL: ${url}`, '-o PATH'],
    [['restore', url, '-o'], "option '-o <path>' argument missing", 'replicate restore --help'],
    [
      ['restore', '-o', 'x', '-config', 'c.yml', url],
      `both a replica URL and -config: ${url}`,
      'leave one out',
    ],
    [['restore', '-o', 'x', '-txid', 'xyz', url], 'not a TXID: xyz', '16 hexadecimal digits'],
    [['restore', '-o', 'x', '-txid', '1', url], 'not a TXID: 1', '16 hexadecimal digits'],
    [['restore', '-o', 'x', '-txid', '0000000000000000', url], 'TXIDs start at 1', ''],
    [
      ['restore', '-o', 'x', '-txid=00000000000000001', url],
      'not a TXID: 00000000000000001',
      '16 hexadecimal',
    ],
    [
      ['restore', '-o', 'x', '-timestamp', 'yesterday', url],
      'not an RFC 3339 timestamp: yesterday',
      'such as 20',
    ],
    [
      ['restore', '-o', 'x', '-timestamp', '2026-02-30T00:00:00Z', url],
      'not an RFC 3339 timestamp',
      'such as 20',
    ],
    [
      ['restore', '-o', 'x', '-timestamp', '2026-01-01T00:00:00', url],
      'not an RFC 3339 timestamp',
      'an offset',
    ],
    [
      ['restore', '-o', 'x', '-txid', '0000000000000001', '-timestamp', '2026-01-01T00:00:00Z', url],
      'both -txid and -timestamp',
      'leave one out',
    ],
    [
      ['restore', '-o', 'x', '-integrity-check', 'fulll', url],
      'not one of none, quick, full',
      '-integrity-check full',
    ],
    [
      ['restore', '-o', 'x', '-parallelism', '0', url],
      'not a whole number from 1 to 256: -parallelism 0',
      '',
    ],
    [
      ['restore', '-o', 'x', '-parallelism', '-3', url],
      'not a whole number from 1 to 256: -parallelism -3',
      '',
    ],
    [['restore', '-o', 'x', '-json=maybe', url], 'not true or false: --json=maybe', ''],
    [['restore', '-o', 'x', 'flie:///a'], 'unknown scheme of a replica url: flie', 'file'],
    [['restore', '-o', 'x', 's3://bucket/a'], 'not supported yet: s3', 'file'],
    [['ltx', '-level', '10', url], 'not a whole number from 0 to 9: -level 10', ''],
    [['replicate', 'a.db'], 'no replica URL for the database: a.db', 'replicate replicate a.db file:///'],
    [['replicate', 'a.db', 'replica'], 'replica url has no scheme', './'],
    [['replicate', '-config', 'c.yml', 'a.db', url], 'both a database and -config: a.db', 'leave one out'],
    [
      ['replicate', '-log-level', 'wran', 'a.db', url],
      'not one of trace, debug, info, warn, error',
      '-log-level warn',
    ],
    [['reset'], "missing required argument 'DB_PATH'", 'replicate reset --help'],
  ])('%j', async (args, message, hint) => {
    using folder = new TemporaryFolder()
    const { code, stdout, stderr } = await runCLI(args, { cwd: folder.path })
    const [errorLine = '', tryLine = '', ...rest] = stderr.split('\n')
    expect({ code, stdout, rest: rest.join('') }).toEqual({ code: 2, stdout: '', rest: '' })
    expect(errorLine).toMatch(/^Error: /)
    expect(errorLine).toContain(message)
    if (hint !== '') expect(tryLine).toMatch(/^Try: /)
    expect(tryLine).toContain(hint)
  })
})

test('LOG_LEVEL of other software is not an error, our own variable is', async () => {
  using folder = new TemporaryFolder()
  const args = ['replicate', 'missing.db', './replica']
  const foreign = await runCLI(args, { cwd: folder.path, env: { LOG_LEVEL: 'verbose' } })
  expect(foreign.code).toBe(1)
  const own = await runCLI(args, { cwd: folder.path, env: { REPLICATE_LOG_LEVEL: 'verbose' } })
  expect(own.code).toBe(2)
  expect(own.stderr).toContain('not one of trace, debug, info, warn, error')
})

test('a missing database is one clear line, exit code 1, and leaves nothing behind', async () => {
  using folder = new TemporaryFolder()
  const { code, stderr } = await runCLI(['replicate', 'missing.db', './replica'], {
    cwd: folder.path,
    env: { LOG_LEVEL: 'error' },
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Error: .*missing\.db\nTry: .+\n$/)
  expect(readdirSync(folder.path)).toEqual([])
})

test('a configuration that is not there is named, with what to do', async () => {
  using folder = new TemporaryFolder()
  const path = join(folder.path, 'none.yml')
  for (const result of [
    await runCLI(['databases', '-config', path]),
    await runCLI(['databases'], { env: { REPLICATE_CONFIG: path, LITESTREAM_CONFIG: '/other' } }),
    await runCLI(['databases'], { env: { LITESTREAM_CONFIG: path } }),
  ]) {
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/^Error: configuration file not found: .*none\.yml\nTry: /)
  }
})
