import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeHeader, HEADER_BYTES, verifyLTX } from '../../../ltx/index.ts'
import { positionHeader } from '../../../src/capture/position.ts'
import { Level0Folder } from '../../../src/state/level0-folder.ts'
import { FAKE_TIME_MS, publishFake } from '../../helpers/fake-level0-files.ts'
import { TemporaryFolder } from '../../helpers/temporary-folder.ts'

const OPTIONS = { fileMode: 0o640, folderMode: 0o750, payload: 'block' } as const

class Ground extends TemporaryFolder {
  readonly folder: string = this.join('state', 'ltx', '0')
  readonly level0 = new Level0Folder(this.folder, OPTIONS)

  names(): string[] {
    return readdirSync(this.folder).sort()
  }

  override [Symbol.dispose](): void {
    this.level0.close()
    super[Symbol.dispose]()
  }
}

const HEADER = positionHeader({
  position: {
    txid: 1n,
    pageSize: 512,
    commit: 2,
    salt1: 1,
    salt2: 2,
    frames: 0,
    checksum: { s0: 3, s1: 4 },
    bootID: Buffer.alloc(8),
  },
  minTXID: 1n,
  firstFrame: 0,
  timestampMs: FAKE_TIME_MS,
})

describe('a level-0 file', () => {
  test('is not there before it is published, and whole from then on', async () => {
    using ground = new Ground()
    const draft = ground.level0.begin(HEADER)
    draft.writePage(1, Buffer.alloc(512, 1))
    expect(ground.level0.list()).toEqual([])
    draft.writePage(2, Buffer.alloc(512, 2))
    expect(ground.level0.list()).toEqual([])
    const file = draft.publish()
    expect(ground.level0.list()).toEqual([file])
    expect(ground.names()).toEqual(['0000000000000001-0000000000000001.ltx'])
    expect(file.sizeBytes).toBe(statSync(file.path).size)
    const bytes = readFileSync(file.path)
    expect(decodeHeader(bytes.subarray(0, HEADER_BYTES))).toEqual({
      ...HEADER,
      reserved: Uint8Array.from(HEADER.reserved),
    })
    await verifyLTX([bytes])
  })

  test('has the time of its header, to the millisecond', () => {
    using ground = new Ground()
    const timestampMs = FAKE_TIME_MS + 123
    const file = publishFake(ground.level0, { minTXID: 1n, timestampMs })
    expect(Math.round(statSync(file.path).mtimeMs)).toBe(timestampMs)
    expect(file.timestampMs).toBe(timestampMs)
    expect(ground.level0.list()[0]!.timestampMs).toBe(timestampMs)
  })

  test('leaves nothing when it is discarded', () => {
    using ground = new Ground()
    const draft = ground.level0.begin(HEADER)
    draft.writePage(1, Buffer.alloc(512))
    draft.discard()
    expect(ground.names()).toEqual([])
  })

  test('leaves nothing when it cannot be ended', () => {
    using ground = new Ground()
    const draft = ground.level0.begin(HEADER)
    draft.writePage(1, Buffer.alloc(512))
    expect(() => draft.publish()).toThrow()
    expect(ground.names()).toEqual([])
  })
})

describe('the folder of level-0 files', () => {
  test('drops at its opening what a crash left unfinished, and nothing else', () => {
    using ground = new Ground()
    const file = publishFake(ground.level0, { minTXID: 1n })
    ground.level0.begin({ ...HEADER, minTXID: 2n, maxTXID: 2n })
    writeFileSync(`${ground.folder}/notes.txt`, 'somebody else')
    expect(ground.names()).toHaveLength(3)
    const reopened = new Level0Folder(ground.folder, OPTIONS)
    expect(ground.names()).toEqual(['0000000000000001-0000000000000001.ltx', 'notes.txt'])
    expect(reopened.list()).toEqual([file])
    reopened.close()
  })

  test('lists by txid, whatever the times', () => {
    using ground = new Ground()
    for (const minTXID of [12n, 2n, 300n, 1n]) publishFake(ground.level0, { minTXID })
    const newest = ground.level0.list().at(-1)!
    utimesSync(newest.path, 1, 1)
    expect(ground.level0.list().map(({ maxTXID }) => maxTXID)).toEqual([1n, 2n, 12n, 300n])
  })

  test('gives files and folders the modes that it is told, whatever the umask', () => {
    const umask = process.umask(0o077)
    try {
      using ground = new Ground()
      const file = publishFake(ground.level0, { minTXID: 1n })
      expect(statSync(file.path).mode & 0o777).toBe(0o640)
    } finally {
      process.umask(umask)
    }
  })

  test('makes folders with the mode that it is told', () => {
    const umask = process.umask(0o022)
    try {
      using ground = new Ground()
      for (const part of ['state', 'state/ltx', 'state/ltx/0'])
        expect(statSync(ground.join(part)).mode & 0o777).toBe(0o750)
    } finally {
      process.umask(umask)
    }
  })

  test('removes a file, twice if need be', () => {
    using ground = new Ground()
    const file = publishFake(ground.level0, { minTXID: 1n })
    ground.level0.remove(file)
    ground.level0.remove(file)
    expect(ground.names()).toEqual([])
  })
})
