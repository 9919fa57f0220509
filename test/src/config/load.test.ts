import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { findConfigFile, parseConfig } from '../../../src/config/load.ts'

function parse(text: string, env: Record<string, string> = {}, expandEnv = true): Config {
  return parseConfig('c.yml', text, { expandEnv, env })
}

const minimal = `dbs:
  - path: /data/app.db
    replica:
      url: file:///backup/app
`

describe('a configuration that is right', () => {
  test('needs a path and a replica', () => {
    expect(parse(minimal)).toEqual({
      file: 'c.yml',
      dbs: [{ path: '/data/app.db', restoreIfMissing: false, replica: { url: 'file:///backup/app' } }],
      logging: {},
      warnings: [],
    })
  })

  test('sets everything that there is to set', () => {
    const config = parse(`
sync-interval: 2s
ltx-pages: frame
logging: { level: debug, type: json, stderr: true }
dbs:
  - path: /data/app.db
    restore-if-db-not-exists: true
    monitor-interval: 500ms
    busy-timeout: 5s
    min-checkpoint-page-count: 2000
    replica: { type: file, path: /backup/app, sync-interval: 1m30s }
  - path: /data/other.db
    replicas: [{ path: /backup/other }]
`)
    expect(config.logging).toEqual({ level: 'debug', type: 'json' })
    expect(config.dbs).toEqual([
      {
        path: '/data/app.db',
        restoreIfMissing: true,
        monitorIntervalMs: 500,
        busyTimeoutMs: 5000,
        checkpointPages: 2000,
        replica: { url: '/backup/app', syncIntervalMs: 90_000, payload: 'frame' },
      },
      {
        path: '/data/other.db',
        restoreIfMissing: false,
        replica: { url: '/backup/other', syncIntervalMs: 2000, payload: 'frame' },
      },
    ])
  })

  test('finds paths from the working folder, from the home folder and in connection strings', () => {
    const config = parse(`dbs:
  - { path: app.db, replica: { path: backup } }
  - { path: ~/app.db, replica: { path: ~/backup } }
  - { path: "sqlite3:///data/app.db", replica: { path: /b } }
`)
    expect(config.dbs.map(({ path, replica }) => [path, replica.url])).toEqual([
      [resolve('app.db'), resolve('backup')],
      [join(homedir(), 'app.db'), join(homedir(), 'backup')],
      ['/data/app.db', '/b'],
    ])
  })

  test('expands variables in values, numbers and switches among them, and not in comments', () => {
    const config = parse(
      `# $UNSET
dbs:
  - path: $DIR/\${NAME}-$PID.db
    restore-if-db-not-exists: $YES
    min-checkpoint-page-count: \${PAGES}
    replica: { path: "/backup/$$x" }
`,
      { DIR: '/data', NAME: 'a: b # c', YES: 'true', PAGES: '700' },
    )
    expect(config.dbs[0]).toEqual({
      path: `/data/a: b # c-${process.pid}.db`,
      restoreIfMissing: true,
      checkpointPages: 700,
      replica: { url: '/backup/$x' },
    })
  })

  test('keeps its dollar signs when told to', () => {
    expect(parse('dbs: [{ path: /data/$X$$, replica: { path: /b } }]', { X: 'y' }, false).dbs[0]?.path).toBe(
      '/data/$X$$',
    )
  })

  test('of Litestream works unchanged, with a warning for each key that has no effect', () => {
    const config = parse(`addr: ":9090"
access-key-id: AKIA
mcp-addr: ":3001"
levels: [{ interval: 30s }]
snapshot: { interval: 24h, retention: 24h }
l0-retention: 5m
socket: { enabled: false }
exec: ""
dbs:
  - path: /data/app.db
    watch: false
    checkpoint-interval: 1m
    replica:
      type: file
      path: /backup/app
      validation-interval: 1h
      age: { identities: [], recipients: [] }
`)
    expect(config.dbs).toHaveLength(1)
    expect(config.warnings).toEqual([
      'addr has no effect: c.yml:1:1',
      'access-key-id has no effect: c.yml:2:1',
      'mcp-addr has no effect: c.yml:3:1',
      'levels has no effect: c.yml:4:1',
      'snapshot has no effect: c.yml:5:1',
      'l0-retention has no effect: c.yml:6:1',
      'socket has no effect: c.yml:7:1',
      'checkpoint-interval has no effect: c.yml:12:5',
      'validation-interval has no effect: c.yml:16:7',
    ])
  })
})

const db = (line: string): string => `dbs:\n  - path: /a.db\n    replica: { path: /b }\n    ${line}\n`
const replica = (line: string): string => `dbs:\n  - path: /a.db\n    replica:\n      ${line}\n`

describe('a configuration that is wrong names the fault, its place, and what is right', () => {
  test.each([
    ['', 'CONFIG_INVALID', 'no databases: c.yml', 'list them under dbs'],
    ['dbs: []', 'CONFIG_INVALID', 'no databases: c.yml', 'list them under dbs'],
    ['- a\n- b', 'CONFIG_INVALID', 'not a mapping: ["a","b"]: c.yml:1:1', undefined],
    ['dbs: x', 'CONFIG_INVALID', 'dbs: not a list: x: c.yml:1:6', undefined],
    ['dbs:\n  - app.db', 'CONFIG_INVALID', 'dbs[0]: not a mapping: app.db: c.yml:2:5', undefined],
    ['dbs: [\n', 'CONFIG_SYNTAX', 'not valid YAML: flow sequence in block collection', undefined],
    ['dbs: []\ndbs: []', 'CONFIG_SYNTAX', 'map keys must be unique: c.yml:2:1', undefined],
    ['databases: []', 'CONFIG_UNKNOWN_KEY', 'unknown key: databases: c.yml:1:1', undefined],
    [
      `${minimal}l0-retentoin: 1m`,
      'CONFIG_UNKNOWN_KEY',
      'unknown key: l0-retentoin: c.yml:5:1',
      'l0-retention',
    ],
    [db('monitor-intervall: 1s'), 'CONFIG_UNKNOWN_KEY', 'monitor-intervall: c.yml:4:5', 'monitor-interval'],
    [replica('ulr: file:///b'), 'CONFIG_UNKNOWN_KEY', 'unknown key: ulr: c.yml:4:7', 'url'],
    [`${minimal}logging: { levle: debug }`, 'CONFIG_UNKNOWN_KEY', 'unknown key: levle: c.yml:5:12', 'level'],
    [
      `${minimal}logging: { level: loud }`,
      'CONFIG_INVALID',
      'logging.level: not one of trace, debug, info',
      undefined,
    ],
    [
      db('monitor-interval: 1'),
      'CONFIG_INVALID',
      'dbs[0].monitor-interval: duration without a unit: 1: c.yml:4:23',
      '10s',
    ],
    [db('monitor-interval: soon'), 'CONFIG_INVALID', 'not a duration: soon: c.yml:4:23', '10s'],
    [db('busy-timeout: 0s'), 'CONFIG_INVALID', 'not more than zero: 0s: c.yml:4:19', undefined],
    [db('min-checkpoint-page-count: many'), 'CONFIG_INVALID', 'not a number: many: c.yml:4:32', undefined],
    [db('min-checkpoint-page-count: 0'), 'CONFIG_INVALID', 'not at least 1: 0: c.yml:4:32', undefined],
    [
      db('restore-if-db-not-exists: perhaps'),
      'CONFIG_INVALID',
      'not true or false: perhaps: c.yml:4:31',
      undefined,
    ],
    ['dbs:\n  - replica: { path: /b }', 'CONFIG_INVALID', 'dbs[0]: path is missing: c.yml:2:5', undefined],
    ['dbs:\n  - path: /a.db', 'CONFIG_INVALID', 'dbs[0]: replica is missing: c.yml:2:5', undefined],
    [
      'dbs:\n  - path: ""\n    replica: { path: /b }',
      'CONFIG_INVALID',
      'dbs[0].path: empty: c.yml:2:11',
      undefined,
    ],
    [db('replicas: [{ path: /c }]'), 'CONFIG_INVALID', 'both replica and replicas: c.yml:4:15', undefined],
    [
      'dbs:\n  - path: /a\n    replicas: [{ path: /b }, { path: /c }]',
      'CONFIG_NOT_SUPPORTED',
      'more than one replica: c.yml:3:30',
      'keep one',
    ],
    [replica('name: x'), 'CONFIG_INVALID', 'replica without url or path: c.yml:4:7', 'file:///'],
    [
      replica('url: /backup'),
      'CONFIG_INVALID',
      'replica URL without a scheme: /backup: c.yml:4:12',
      'file:///backup',
    ],
    [replica('{ url: "file:///b", path: /b }'), 'CONFIG_INVALID', 'both url and path', 'keep url'],
    [replica('url: s3://bucket/app'), 'CONFIG_NOT_SUPPORTED', 'not in this version: s3: c.yml:4:12', 'file'],
    [
      replica('{ type: sftp, path: /b }'),
      'CONFIG_NOT_SUPPORTED',
      'not in this version: sftp: c.yml:4:15',
      'file',
    ],
    [replica('url: flie:///b'), 'CONFIG_INVALID', 'unknown replica type: flie: c.yml:4:12', 'file'],
    [
      replica('{ path: /b, age: { recipients: [age1x] } }'),
      'CONFIG_NOT_SUPPORTED',
      'not in this version: age: c.yml:4:19',
      'encrypted',
    ],
    [
      'dbs:\n  - dir: /data\n    pattern: "*.db"',
      'CONFIG_NOT_SUPPORTED',
      'not in this version: dir: c.yml:2:5',
      'path',
    ],
    [
      `exec: node server.js\n${minimal}`,
      'CONFIG_NOT_SUPPORTED',
      'not in this version: exec: c.yml:1:1',
      'beside',
    ],
    [
      `${minimal}  - path: /data/app.db\n    replica: { path: /c }`,
      'CONFIG_INVALID',
      'database twice: /data/app.db: c.yml:5:11',
      undefined,
    ],
    [
      `${minimal}  - path: /data/b.db\n    replica: { url: "file:///backup/app" }`,
      'CONFIG_INVALID',
      'replica of two databases: file:///backup/app: c.yml:5:5',
      'folder of its own',
    ],
    [
      'dbs:\n  - path: /data/$NOPE.db\n    replica: { path: /b }',
      'CONFIG_UNSET_VARIABLE',
      'variable is not set: NOPE: c.yml:2:11',
      '${NOPE:-}',
    ],
  ])('%j', (text, code, message, hint) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        code,
        message: expect.stringContaining(message),
        ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) }),
      }),
    )
  })
})

test('the file comes from the flag, then REPLICATE_CONFIG, then LITESTREAM_CONFIG, then the default', () => {
  const both = { REPLICATE_CONFIG: 'r.yml', LITESTREAM_CONFIG: 'l.yml' }
  expect(findConfigFile({ file: 'f.yml', env: both })).toBe('f.yml')
  expect(findConfigFile({ env: both })).toBe('r.yml')
  expect(findConfigFile({ env: { ...both, REPLICATE_CONFIG: '' } })).toBe('l.yml')
  expect(findConfigFile({ env: {} })).toBe('/etc/replicate.yml')
})
