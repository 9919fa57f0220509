import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatLTXFileName,
  formatPos,
  formatTXID,
  parseLTXFileName,
  parsePos,
  parseTXID,
} from '../../ltx/index.ts'
import { codeOf } from './files.ts'

const MAX = 0xffffffffffffffffn

describe('TXID', () => {
  test('is 16 lower-case digits', () => {
    expect(formatTXID(1n)).toBe('0000000000000001')
    expect(formatTXID(0xabcdefn)).toBe('0000000000abcdef')
    expect(formatTXID(MAX)).toBe('ffffffffffffffff')
  })

  test('is read in either case and refused in any other length or alphabet', () => {
    expect(parseTXID('00000000ABCDef01')).toBe(0xabcdef01n)
    for (const text of [
      '',
      '1',
      '000000000000001',
      '00000000000000001',
      '000000000000000g',
      '0x00000000000001',
      ' 000000000000001',
    ]) {
      expect(parseTXID(text)).toBeUndefined()
    }
  })

  test('outside of 64 bits is refused', () => {
    expect(codeOf(() => formatTXID(-1n))).toBe('LTX_INVALID_TXID')
    expect(codeOf(() => formatTXID(MAX + 1n))).toBe('LTX_INVALID_TXID')
  })

  test('comes back from its text', () => {
    fc.assert(fc.property(fc.bigInt(0n, MAX), (txid) => parseTXID(formatTXID(txid)) === txid))
  })
})

describe('position', () => {
  test('is TXID and checksum with a slash', () => {
    const pos = { txid: 8n, postApplyChecksum: 0xc1382ec165b1c71cn }
    expect(formatPos(pos)).toBe('0000000000000008/c1382ec165b1c71c')
    expect(parsePos('0000000000000008/c1382ec165b1c71c')).toEqual(pos)
  })

  test('of any other shape is none', () => {
    for (const text of [
      '',
      '0000000000000008',
      '0000000000000008-c1382ec165b1c71c',
      '8/9',
      '0000000000000008/c1382ec165b1c71',
    ]) {
      expect(parsePos(text)).toBeUndefined()
    }
  })
})

describe('file name', () => {
  test('is both TXIDs', () => {
    expect(formatLTXFileName(1n, 0xffn)).toBe('0000000000000001-00000000000000ff.ltx')
    expect(parseLTXFileName('0000000000000001-00000000000000ff.ltx')).toEqual({ minTXID: 1n, maxTXID: 0xffn })
  })

  test('with upper case, a path, another ending or an impossible range is none of ours', () => {
    for (const name of [
      '0000000000000001-00000000000000FF.ltx',
      'a/0000000000000001-00000000000000ff.ltx',
      '0000000000000001-00000000000000ff.ltx.tmp',
      '0000000000000001-00000000000000ff.ltx\n',
      '0000000000000001.ltx',
      '0000000000000000-00000000000000ff.ltx',
      '0000000000000002-0000000000000001.ltx',
    ]) {
      expect(parseLTXFileName(name), name).toBeUndefined()
    }
  })

  test('of an impossible range is refused', () => {
    expect(codeOf(() => formatLTXFileName(0n, 1n))).toBe('LTX_INVALID_TXID')
    expect(codeOf(() => formatLTXFileName(2n, 1n))).toBe('LTX_INVALID_TXID')
  })
})
