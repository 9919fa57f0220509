import { expect, test } from 'vitest'
import { parseWALHeader, WALChecksum, WALReader, BufferWALSource } from '../../../src/wal/index.ts'
import { hex32, validVectorNames, walVector } from './vectors.ts'

function withHeader(name: string, change: (view: DataView) => void, fixChecksum: boolean): Uint8Array {
  const bytes = walVector(name).wal.slice()
  const view = new DataView(bytes.buffer)
  change(view)
  if (fixChecksum) {
    const sum = new WALChecksum((view.getUint32(0) & 1) === 1)
    sum.update(bytes.subarray(0, 24))
    view.setUint32(24, sum.s0)
    view.setUint32(28, sum.s1)
  }
  return bytes
}

function setOtherVersion(view: DataView): void {
  view.setUint32(4, 3007001)
}

test.each(validVectorNames)('the header of %s has the known fields', (name) => {
  const { wal, expected } = walVector(name)
  const result = parseWALHeader(wal)
  if (result.kind !== 'valid') throw new Error(result.reason)
  const { bigEndianChecksum, pageSize, checkpointSeq, salt1, salt2 } = result.header
  expect({ bigEndianChecksum, pageSize, checkpointSeq, salt1: hex32(salt1), salt2: hex32(salt2) }).toEqual({
    bigEndianChecksum: expected.bigEndianChecksum,
    pageSize: expected.pageSize,
    checkpointSeq: expected.checkpointSeq,
    salt1: expected.salt1,
    salt2: expected.salt2,
  })
})

test.each(['short-header', 'bad-header-checksum'])('%s is the end of data, not an error', (name) => {
  const { wal, expected } = walVector(name)
  expect(parseWALHeader(wal)).toEqual({ kind: 'end', reason: expected.reason })
  expect(WALReader.open(new BufferWALSource(wal))).toEqual({ kind: 'end', reason: expected.reason })
})

test('every length below a header is a short header', () => {
  const { wal } = walVector('ok')
  for (let length = 0; length < 32; length++) {
    expect(parseWALHeader(wal.subarray(0, length))).toEqual({ kind: 'end', reason: 'short header' })
  }
})

test('every flipped bit of a header is refused, as an unknown magic or as a torn header', () => {
  for (let bit = 0; bit < 32 * 8; bit++) {
    const bytes = walVector('ok').wal.slice(0, 32)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    if (bit < 32 && bit !== 24)
      expect(() => parseWALHeader(bytes)).toThrow(/invalid wal header magic: [0-9a-f]{8}/)
    else expect(parseWALHeader(bytes)).toEqual({ kind: 'end', reason: 'header checksum' })
  }
})

test('an unknown magic is an error that comes before the checksum', () => {
  const bytes = withHeader('ok', (view) => view.setUint32(0, 0x0badc0de), false)
  expect(() => parseWALHeader(bytes)).toThrow(
    expect.objectContaining({ code: 'WAL_BAD_MAGIC', message: 'invalid wal header magic: 0badc0de' }),
  )
})

test('another version is an error only with a good checksum', () => {
  expect(parseWALHeader(withHeader('ok', setOtherVersion, false))).toEqual({
    kind: 'end',
    reason: 'header checksum',
  })
  expect(() => parseWALHeader(withHeader('ok', setOtherVersion, true))).toThrow(
    expect.objectContaining({ code: 'WAL_UNSUPPORTED_VERSION', message: 'unsupported wal version: 3007001' }),
  )
})

test.each([0, 1, 256, 1000, 131072])('a page size of %i is an error', (pageSize) => {
  const bytes = withHeader('ok', (view) => view.setUint32(8, pageSize), true)
  expect(() => parseWALHeader(bytes)).toThrow(expect.objectContaining({ code: 'WAL_BAD_PAGE_SIZE' }))
})
