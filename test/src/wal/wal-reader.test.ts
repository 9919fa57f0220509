import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import {
  BufferWALSource,
  FileWALSource,
  readFrameSalts,
  WALChecksum,
  WALReader,
  type WALFrame,
  type WALPosition,
  type WALSource,
} from '../../../src/wal/index.ts'
import { hex32, validVectorNames, walVector } from './vectors.ts'

function open(source: WALSource): WALReader {
  const result = WALReader.open(source)
  if ('kind' in result) throw new Error(result.reason)
  return result.reader
}

function walk(reader: WALReader): { frame: WALFrame; sha256: string }[] {
  const found = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    found.push({ frame: { ...frame }, sha256: createHash('sha256').update(reader.page()).digest('hex') })
  }
  return found
}

function positionAfter(frame: WALFrame, reader: WALReader): WALPosition {
  const header = reader.header!
  return {
    offset: frame.offset + reader.frameBytes,
    pageSize: header.pageSize,
    bigEndianChecksum: header.bigEndianChecksum,
    salt1: header.salt1,
    salt2: header.salt2,
    checksum1: frame.checksum1,
    checksum2: frame.checksum2,
  }
}

test.each(validVectorNames)('the valid frames of %s are the known ones', (name) => {
  const { wal, expected } = walVector(name)
  const reader = open(new BufferWALSource(wal))
  const found = walk(reader).map(({ frame, sha256 }) => ({
    offset: frame.offset,
    pgno: frame.pgno,
    commit: frame.commit,
    checksum: [hex32(frame.checksum1), hex32(frame.checksum2)],
    dataSha256: sha256,
  }))
  expect(found).toEqual(expected.frames)
  expect(reader.frameBytes).toBe(expected.frameSize)
  expect({ stop: reader.stop, end: reader.offset }).toEqual({ stop: expected.stop, end: expected.validEnd })
})

test.each(validVectorNames)('the salts of all generations in %s are the known ones', (name) => {
  const { wal, expected } = walVector(name)
  const salts = readFrameSalts(new BufferWALSource(wal), expected.pageSize)
  expect(salts.map((s) => [hex32(s.salt1), hex32(s.salt2)])).toEqual(expected.frameSalts)
})

test('a walk may start after any frame and sees the same rest', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const source = new BufferWALSource(wal)
  const reader = open(source)
  const all = walk(reader)
  for (const [i, { frame }] of all.entries()) {
    const { checksum1: _1, checksum2: _2, ...unproved } = positionAfter(frame, reader)
    expect(walk(WALReader.resume(source, positionAfter(frame, reader)))).toEqual(all.slice(i + 1))
    expect(walk(WALReader.resume(source, unproved))).toEqual(all.slice(i + 1))
  }
  const start = { ...positionAfter(all[0]!.frame, reader), offset: 32 }
  expect(walk(WALReader.resume(source, start))).toEqual(all)
})

test('an old generation is walked behind a newer header that has overwritten its start', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const reader = open(new BufferWALSource(wal))
  const all = walk(reader)
  const overwritten = wal.slice()
  overwritten.fill(0xee, 0, 32 + 2 * reader.frameBytes)
  const position = positionAfter(all[4]!.frame, reader)
  expect(walk(WALReader.resume(new BufferWALSource(overwritten), position))).toEqual(all.slice(5))
})

test('a start in the middle is refused where the frame before it is not the one that was read', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const source = new BufferWALSource(wal)
  const reader = open(source)
  const position = positionAfter(walk(reader)[3]!.frame, reader)
  const mismatch = expect.objectContaining({ code: 'WAL_PREVIOUS_FRAME_MISMATCH' }) as Error
  for (const salts of [{ salt1: 1 }, { salt2: 1 }, { checksum1: 1 }, { checksum2: 1 }]) {
    expect(() => WALReader.resume(source, { ...position, ...salts })).toThrow(mismatch)
  }
  for (const salts of [{ salt1: 1 }, { salt2: 1 }, { pageSize: 1024 }]) {
    expect(() => WALReader.resume(source, { ...position, offset: 32, ...salts })).toThrow(mismatch)
  }
  expect(() => WALReader.resume(new BufferWALSource(wal.subarray(0, 600)), position)).toThrow(mismatch)
})

test.each([0, 31, 33, 600])('offset %i is not the start of a frame', (offset) => {
  const { wal, expected } = walVector('vacuum-shrink-512')
  const position = { offset, pageSize: expected.pageSize, bigEndianChecksum: false, salt1: 0, salt2: 0 }
  expect(() => WALReader.resume(new BufferWALSource(wal), position)).toThrow(
    expect.objectContaining({ code: 'WAL_BAD_OFFSET' }),
  )
})

test('any damage ends the walk at the damaged frame and never shows other bytes', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const good = walk(open(new BufferWALSource(wal)))
  for (let at = 32; at < 32 + 6 * 536; at++) {
    const bytes = wal.slice()
    bytes[at]! ^= 0x40
    const reader = open(new BufferWALSource(bytes))
    const frame = Math.floor((at - 32) / 536)
    expect(walk(reader)).toEqual(good.slice(0, frame))
    expect(reader.stop).toMatch(/mismatch|zero page number/)
  }
})

test('a cut at any length leaves the whole frames before it', () => {
  const { wal } = walVector('ok')
  const good = walk(open(new BufferWALSource(wal)))
  for (let length = 32; length <= wal.length; length += 7) {
    const whole = Math.floor((length - 32) / 4120)
    expect(walk(open(new BufferWALSource(wal.subarray(0, length))))).toEqual(good.slice(0, whole))
  }
})

test('a reader that stopped goes on when frames are appended, or replace stale ones', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const all = walk(open(new BufferWALSource(wal)))
  const growing = wal.slice()
  growing.fill(0, 32 + 3 * 536)
  const reader = open(new BufferWALSource(growing))
  expect(walk(reader)).toEqual(all.slice(0, 3))
  growing.set(wal)
  expect(walk(reader)).toEqual(all.slice(3))
})

test('a reader that stopped at a torn frame goes on when the frame has been written whole', () => {
  const { wal } = walVector('vacuum-shrink-512')
  const all = walk(open(new BufferWALSource(wal)))
  const torn = wal.slice()
  torn.fill(0x55, 32 + 4 * 536 + 300, 32 + 5 * 536)
  const reader = open(new BufferWALSource(torn))
  expect(walk(reader)).toEqual(all.slice(0, 4))
  expect(reader.stop).toBe('checksum mismatch')
  torn.set(wal)
  expect(walk(reader)).toEqual(all.slice(4))
})

test('a frame of page 0 ends the walk even where its checksum holds', () => {
  const bytes = walVector('ok').wal.slice()
  const view = new DataView(bytes.buffer)
  const { header } = open(new BufferWALSource(bytes))
  view.setUint32(32, 0)
  const sum = new WALChecksum(false)
  sum.seed(header!.checksum1, header!.checksum2)
  sum.update(bytes.subarray(32, 40))
  sum.update(bytes.subarray(56, 56 + 4096))
  view.setUint32(48, sum.s0)
  view.setUint32(52, sum.s1)
  const reader = open(new BufferWALSource(bytes))
  expect(walk(reader)).toEqual([])
  expect(reader.stop).toBe('zero page number')
})

test('a wal that sqlite is writing is read through a descriptor, over many reads ahead', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wal-reader-'))
  const path = join(folder, 'live.db')
  const db = new Database(path)
  db.pragma('journal_mode = wal')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('create table t(x)')
  const insert = db.prepare('insert into t values (randomblob(3000))')
  for (let i = 0; i < 300; i++) insert.run()
  const fd = openSync(`${path}-wal`, 'r')
  try {
    const reader = open(new FileWALSource(fd))
    const found = walk(reader)
    expect(reader.offset).toBe(readFileSync(`${path}-wal`).length)
    expect(found.length).toBeGreaterThan(300)
    expect(found.at(-1)!.frame.commit).toBeGreaterThan(200)
    insert.run()
    expect(walk(reader).length).toBeGreaterThan(0)
    expect(reader.stop).toBe('end of file')
  } finally {
    closeSync(fd)
    db.close()
    rmSync(folder, { recursive: true })
  }
})

test('sqlite accepts what the reader accepts: recovery finds the rows of the valid prefix', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wal-reader-'))
  const path = join(folder, 'a.db')
  const db = new Database(path)
  db.pragma('journal_mode = wal')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('create table t(x)')
  for (let i = 0; i < 20; i++) db.exec(`insert into t values (${i})`)
  const database = readFileSync(path)
  const wal = new Uint8Array(readFileSync(`${path}-wal`))
  db.close()
  const frames = walk(open(new BufferWALSource(wal)))
  const cut = frames[10]!.frame
  wal[cut.offset + 100]! ^= 1
  const commits = walk(open(new BufferWALSource(wal))).filter(({ frame }) => frame.commit > 0).length
  const copy = join(folder, 'b.db')
  writeFileSync(copy, database)
  writeFileSync(`${copy}-wal`, wal)
  const recovered = new Database(copy)
  const { n } = recovered.prepare('select count(*) n from t').get() as { n: number }
  recovered.close()
  rmSync(folder, { recursive: true })
  // One commit switched the mode or made the table; each other is one row.
  const setup = frames.filter(({ frame }) => frame.commit > 0).length - 20
  expect(n).toBe(commits - setup)
})
