import { readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  provesUnchanged,
  readSealRecord,
  type SealRecord,
  writeSealRecord,
} from '../../../src/state/seal-record.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const file = {
  dev: '1',
  ino: '2',
  sizeBytes: 4096,
  mtimeNs: '1700000000000000001',
  ctimeNs: '1700000000000000002',
}
const record: SealRecord = { txid: 0x1fn, file }

describe('the record of a clean stop', () => {
  test('proves that its own file is unchanged since its own transaction', () => {
    expect(provesUnchanged(record, 0x1fn, { ...file })).toBe(true)
  })

  test.each([0n, 0x1en, 0x20n])('proves nothing for another transaction: %i', (txid) => {
    expect(provesUnchanged(record, txid, file)).toBe(false)
  })

  test.each([
    { dev: '2' },
    { ino: '3' },
    { sizeBytes: 8192 },
    { mtimeNs: '1700000000000000000' },
    { ctimeNs: '1700000000000000003' },
  ])('proves nothing for a file with another %o', (change) => {
    expect(provesUnchanged(record, 0x1fn, { ...file, ...change })).toBe(false)
  })

  test('is read as it was written, replaces the one before and leaves nothing else', () => {
    using folder = new TemporaryFolder()
    writeSealRecord(folder.path, { ...record, txid: 1n })
    writeSealRecord(folder.path, record)
    expect(readSealRecord(folder.path)).toEqual(record)
    expect(readdirSync(folder.path)).toHaveLength(1)
  })

  test('is none where none was written', () => {
    using folder = new TemporaryFolder()
    expect(readSealRecord(folder.path)).toBeUndefined()
  })

  test.each(['', '{', 'null', '[]', '{"txid":"1f","file":{}}', '{"txid":"000000000000001f"}'])(
    'is none when it cannot be read as one: %s',
    (text) => {
      using folder = new TemporaryFolder()
      writeFileSync(folder.join('sealed.json'), text)
      expect(readSealRecord(folder.path)).toBeUndefined()
    },
  )
})
