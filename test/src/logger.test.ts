import { closeSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DatabaseError } from '../../src/database-error.ts'
import { createLogger, type Logger, type LoggerOptions } from '../../src/logger.ts'
import { TemporaryFolder } from '../helpers/temporary-folder.ts'

function written(options: Omit<LoggerOptions, 'fd'>, log: (logger: Logger) => void): string {
  using folder = new TemporaryFolder()
  const fd = openSync(folder.join('log'), 'w')
  log(createLogger({ ...options, fd }))
  closeSync(fd)
  return readFileSync(folder.join('log'), 'utf8')
}

function logError(logger: Logger): void {
  logger.error({ err: error }, 'failed')
}

function parse(text: string): unknown {
  return JSON.parse(text)
}

const error = new DatabaseError('DB_BUSY', '/a b.db', 'database is locked: /a b.db', { hint: 'wait' })

test('text is one line of key=value per message, quoted where it has to be', () => {
  const text = written({ level: 'info', type: 'text', hasTime: false }, (logger) => {
    const child = logger.child({ db: '/data/app.db' })
    child.info({ txid: '000000000000000a', pages: 3, path: 'a b', empty: '', list: [1, 2] }, 'captured')
    child.debug({}, 'too much')
    child.error({ err: error }, 'replication failed')
  })
  expect(text).toBe(
    'level=info msg="captured" db=/data/app.db txid=000000000000000a pages=3 path="a b" empty="" list=[1,2]\n' +
      'level=error msg="replication failed" db=/data/app.db err="database is locked: /a b.db" code=DB_BUSY hint=wait\n',
  )
})

test('a line feed in a value does not make a second line', () => {
  const text = written({ level: 'info', type: 'text' }, (logger) =>
    logger.warn({ path: 'a\nlevel=error' }, 'odd\nmessage'),
  )
  expect(text).toMatch(/^time=\d{4}-\S+Z level=warn msg="odd\\nmessage" path="a\\nlevel=error"\n$/)
})

test('json is one object per line, an error without its stack unless at debug', () => {
  const err = { message: 'database is locked: /a b.db', code: 'DB_BUSY', hint: 'wait' }
  expect(parse(written({ level: 'info', type: 'json' }, logError))).toEqual({
    level: 'error',
    time: expect.any(String),
    msg: 'failed',
    err,
  })
  expect(parse(written({ level: 'debug', type: 'json' }, logError))).toMatchObject({
    err: { ...err, stack: expect.stringContaining('logger.test') },
  })
})

test('pretty is for people, without colour unless asked', () => {
  const text = written({ level: 'info', type: 'pretty' }, (logger) => logger.info({ db: 'x' }, 'captured'))
  expect(text).toMatch(/INFO: captured \{"db":"x"\}\n$/)
  expect(text).not.toContain('\u001B')
})
