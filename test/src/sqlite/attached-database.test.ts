import { copyFileSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { AttachedDatabase } from '../../../src/sqlite/attached-database.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

/** An attached database whose WAL is read; the writer is gone. */
function attach(path: string): AttachedDatabase {
  const writer = new Database(path)
  writer.pragma('journal_mode = wal')
  writer.exec('CREATE TABLE t(v); INSERT INTO t VALUES (1)')
  const attached = AttachedDatabase.open(path, 1000)
  attached.connections.pin()
  writer.close()
  expect(attached.wal.readHeader()).toBeDefined()
  return attached
}

const REPLACEMENTS: readonly (readonly [string, (path: string) => void, boolean])[] = [
  ['nothing was done', () => undefined, false],
  [
    'another file was moved over the database',
    (path) => {
      copyFileSync(path, `${path}.other`)
      renameSync(`${path}.other`, path)
    },
    true,
  ],
  ['the database was moved away', (path) => renameSync(path, `${path}.away`), true],
  ['the wal was removed', (path) => rmSync(`${path}-wal`), true],
  [
    'another file was moved over the wal',
    (path) => {
      copyFileSync(`${path}-wal`, `${path}.other`)
      renameSync(`${path}.other`, `${path}-wal`)
    },
    true,
  ],
]

describe('an attached database tells that its files were replaced', () => {
  test.each(REPLACEMENTS)('%s', (_what, replace, wasReplaced) => {
    using folder = new TemporaryFolder()
    const path = folder.join('app.db')
    const attached = attach(path)
    replace(path)
    expect(attached.wasReplaced()).toBe(wasReplaced)
    attached.close()
  })
})
