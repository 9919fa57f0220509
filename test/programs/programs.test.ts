import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runCLI, RunningCLI, until } from '../helpers/cli.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

/** Databases kept by programs that none of us wrote, replicated while those programs work on them. */
const has = (program: string): boolean => spawnSync(program, ['--help']).error === undefined

/** Runs a program to its end; anything but success fails the test. */
function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; input?: string; home?: string } = {},
): string {
  const { home, ...rest } = options
  const env = {
    ...process.env,
    USER: 'tester',
    ...(home === undefined ? {} : { HOME: home, FOSSIL_HOME: home }),
  }
  const result = spawnSync(program, args, { encoding: 'utf8', env, ...rest })
  expect({ args, status: result.status, stderr: result.stderr }).toMatchObject({ status: 0 })
  return result.stdout
}

/** Restores to `output` until `isThere` says that the last change has arrived. */
async function restoredUntil(url: string, output: string, isThere: () => boolean): Promise<void> {
  await until('the last change is in the replica', async () => {
    const { code } = await runCLI(['restore', '-force', '-o', output, url])
    return code === 0 && isThere()
  })
}

describe('databases of other programs', () => {
  test.skipIf(!has('sqlite3'))('the sqlite3 shell at work comes back with the same contents', async () => {
    using folder = new TemporaryFolder()
    const [path, output, url] = [
      folder.join('shell.db'),
      folder.join('out.db'),
      `file://${folder.join('replica')}`,
    ]
    run('sqlite3', [path], {
      input: 'CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t(v) VALUES (1);',
    })
    await using daemon = new RunningCLI(['replicate', path, url])
    await daemon.logged('capturing')
    for (let round = 0; round < 20; round++) {
      const sql = `INSERT INTO t(v) SELECT hex(randomblob(50)) FROM t LIMIT 500; DELETE FROM t WHERE id % 17 = ${round};`
      run('sqlite3', [path], {
        input: `.timeout 5000\n${sql} ${round % 7 === 6 ? 'VACUUM;' : ''} PRAGMA wal_checkpoint;`,
      })
    }
    const hash = (database: string): string => run('sqlite3', [database, '.sha3sum --schema'])
    const expected = hash(path)
    await restoredUntil(url, output, () => hash(output) === expected)
    expect(run('sqlite3', [output, 'PRAGMA integrity_check']).trim()).toBe('ok')
  })

  test.skipIf(!has('fossil'))('a fossil repository in use comes back whole by its own check', async () => {
    using folder = new TemporaryFolder()
    const [path, output, url] = [
      folder.join('a.fossil'),
      folder.join('out.fossil'),
      `file://${folder.join('replica')}`,
    ]
    const [home, checkout] = [folder.join('home'), folder.join('checkout')]
    mkdirSync(home)
    mkdirSync(checkout)
    const fossil = (...args: string[]): string => run('fossil', args, { cwd: checkout, home })
    fossil('init', path)
    fossil('open', path)
    await using daemon = new RunningCLI(['replicate', path, url])
    await daemon.logged('capturing')
    for (let round = 0; round < 8; round++) {
      writeFileSync(`${checkout}/file-${round % 3}.txt`, `${'line of text\n'.repeat(50 + round)}${round}\n`)
      fossil('addremove')
      fossil('commit', '-m', `change ${round}`, '--no-warnings')
    }
    const timeline = (repository: string): string =>
      fossil('timeline', '-R', repository, '-n', '0', '-t', 'ci')
    const expected = timeline(path).replaceAll('*CURRENT* ', '')
    await restoredUntil(url, output, () => timeline(output).replaceAll('*CURRENT* ', '') === expected)
    expect(fossil('test-integrity', '-R', output)).toContain('0 errors')
    expect(expected).toContain('change 7')
  })
})
