import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { decodeHeader, parseTXID } from '../../../ltx/index.ts'
import { openReplica } from '../../../replica/index.ts'
import { restore, type RestoreProgress } from '../../../src/restore/index.ts'
import { copyFixtureReplica, readExpected } from '../../helpers/fixture-replica.ts'
import { restoreAroundLockPage } from './lock-page-ground.ts'
import { encodeFile, namesIn, page, pages, sha256, SyntheticReplica, testFolder } from './restore-ground.ts'

describe.each(['replica-file', 'replica-litestream'])('%s', (name) => {
  test('every known target restores to the very bytes that Litestream restores', async () => {
    const replica = await copyFixtureReplica(name)
    onTestFinished(() => replica.remove())
    await using client = await openReplica(replica.url)
    const { restores } = await readExpected(name)
    for (const [key, expected] of Object.entries(restores)) {
      const txid = parseTXID(key)
      if (txid === undefined && key !== 'latest') continue
      const folder = testFolder()
      const outputPath = join(folder, 'out.db')
      const result = await restore({
        client,
        outputPath,
        ...(txid === undefined ? {} : { txid }),
        integrityCheck: 'full',
      })
      expect({ key, sha256: sha256(outputPath) }).toEqual({ key, sha256: expected.sha256 })
      expect(result).toMatchObject({ sizeBytes: expected.size, skipped: false, beyondNewest: false })
      if (txid !== undefined) expect(result.txid).toBe(txid)
      expect(namesIn(folder)).toEqual(['out.db'])
      expect(statSync(outputPath).mode & 0o777).toBe(0o600)
    }
  })

  // The fixtures' own times were computed with a rule that leaves out what was captured at that very millisecond.
  test('the time of each file restores what was captured up to that millisecond, that one included', async () => {
    const replica = await copyFixtureReplica(name)
    onTestFinished(() => replica.remove())
    await using client = await openReplica(replica.url)
    const files = []
    for (let level = 0; level <= 9; level++) for await (const file of client.ltxFiles(level)) files.push(file)
    const folder = testFolder()
    let restored = 0
    for (const { createdAtMs: timestampMs } of files) {
      const then = files.filter((f) => f.createdAtMs <= timestampMs).map((f) => f.maxTXID)
      const txid = then.reduce((a, b) => (a > b ? a : b))
      const byTXID = await restore({ client, outputPath: join(folder, 'a.db'), txid, force: true })
      const byTime = await restore({ client, outputPath: join(folder, 'b.db'), timestampMs, force: true })
      expect(byTime.txid).toBe(txid)
      expect(byTime.timestampMs).toBe(byTXID.timestampMs)
      expect(sha256(join(folder, 'b.db'))).toBe(sha256(join(folder, 'a.db')))
      restored++
    }
    expect(restored).toBe(files.length)
    expect(restored).toBeGreaterThan(10)
  })
})

test.each([512, 1024, 4096, 65536])(
  'a real database of page size %i restores to its bytes',
  async (pageSize) => {
    const folder = testFolder()
    const source = new Database(join(folder, 'source.db'))
    source.pragma(`page_size = ${pageSize}`)
    source.exec('create table t(a, b); create index i on t(b)')
    const states: Buffer[] = []
    for (let i = 0; i < 6; i++) {
      source.exec(`with recursive n(i) as (select 1 union all select i+1 from n where i < ${400 * (i + 1)})
      insert into t select i, randomblob(i % 300) from n`)
      if (i === 3) source.exec('delete from t where rowid % 5 > 0; vacuum')
      states.push(readFileSync(join(folder, 'source.db')))
    }
    source.close()
    const replica = new SyntheticReplica()
    let before: Buffer = Buffer.alloc(0)
    for (const [i, state] of states.entries()) {
      const changed: [number, Uint8Array][] = []
      for (let pgno = 1; pgno <= state.length / pageSize; pgno++) {
        const range = [(pgno - 1) * pageSize, pgno * pageSize] as const
        const now = state.subarray(...range)
        if (!now.equals(before.subarray(...range))) changed.push([pgno, now])
      }
      replica.add({ min: i + 1, max: i + 1, pageSize, commit: state.length / pageSize, pages: changed })
      before = state
    }
    await using client = await replica.open()
    for (const [i, state] of states.entries()) {
      const outputPath = join(folder, `${i}.db`)
      const result = await restore({ client, outputPath, txid: BigInt(i + 1), integrityCheck: 'full' })
      expect(result).toMatchObject({ pageSize, sizeBytes: state.length })
      expect(readFileSync(outputPath).equals(state)).toBe(true)
    }
  },
)

test('a database that shrinks and grows again holds no page of before', async () => {
  const pageSize = 1024
  const replica = new SyntheticReplica()
    .add({ level: 9, min: 1, max: 1, pageSize, commit: 40, pages: pages(pageSize, 1, 40, 1) })
    .add({ min: 2, max: 2, pageSize, commit: 5, pages: [[1, page(pageSize, 1, 2)]] })
    .add({
      min: 3,
      max: 3,
      pageSize,
      commit: 9,
      pages: [[2, page(pageSize, 2, 3)], ...pages(pageSize, 6, 9, 3)],
    })
    .add({ min: 4, max: 4, pageSize, commit: 7, pages: [] })
  await using client = await replica.open()
  const outputPath = join(testFolder(), 'out.db')
  const versions = {
    1: [...Array<number>(40).fill(1)],
    2: [2, 1, 1, 1, 1],
    3: [2, 3, 1, 1, 1, 3, 3, 3, 3],
    4: [2, 3, 1, 1, 1, 3, 3],
  }
  for (const [txid, expected] of Object.entries(versions)) {
    const result = await restore({ client, outputPath, txid: BigInt(txid), force: true })
    const bytes = Buffer.concat(expected.map((version, i) => page(pageSize, i + 1, version)))
    expect(result.sizeBytes).toBe(bytes.length)
    expect(readFileSync(outputPath).equals(bytes)).toBe(true)
  }
})

test('a big file after small ones, and small ones after it, win in the order of the chain', async () => {
  const pageSize = 65536
  const noise = (pgno: number, version: number): Uint8Array => {
    const data = page(pageSize, pgno, version)
    // Not compressible, so that the file is too large to be fetched ahead.
    for (let i = 8, x = pgno * 7919 + version; i < pageSize; i++) {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0
      data[i] = x >>> 16
    }
    return data
  }
  const big = Array.from({ length: 100 }, (_, i) => [i + 1, noise(i + 1, 3)] as const)
  const replica = new SyntheticReplica()
    .add({ level: 9, min: 1, max: 1, pageSize, commit: 120, pages: pages(pageSize, 1, 120, 1) })
    .add({
      min: 2,
      max: 2,
      pageSize,
      commit: 120,
      pages: [
        [50, page(pageSize, 50, 2)],
        [110, page(pageSize, 110, 2)],
      ],
    })
    .add({ min: 3, max: 3, pageSize, commit: 120, pages: big })
    .add({
      min: 4,
      max: 4,
      pageSize,
      commit: 120,
      pages: [
        [7, page(pageSize, 7, 4)],
        [120, page(pageSize, 120, 4)],
      ],
    })
  await using client = await replica.open()
  const outputPath = join(testFolder(), 'out.db')
  const result = await restore({ client, outputPath })
  expect(Math.max(...result.files.map((f) => f.sizeBytes))).toBeGreaterThan(5_000_000)
  const expected = Array.from({ length: 120 }, (_, i) => {
    const pgno = i + 1
    if (pgno === 7 || pgno === 120) return page(pageSize, pgno, 4)
    if (pgno <= 100) return noise(pgno, 3)
    return page(pageSize, pgno, pgno === 110 ? 2 : 1)
  })
  expect(readFileSync(outputPath).equals(Buffer.concat(expected))).toBe(true)
})

test('thousands of small files over more pages than are held in memory come to the same bytes', async () => {
  const pageSize = 65536
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize,
    commit: 400,
    pages: pages(pageSize, 1, 400, 1),
  })
  const versions = Array<number>(401).fill(1)
  for (let txid = 2; txid <= 1500; txid++) {
    const pgno = ((txid * 7919) % 400) + 1
    versions[pgno] = txid
    replica.add({ min: txid, max: txid, pageSize, commit: 400, pages: [[pgno, page(pageSize, pgno, txid)]] })
  }
  await using client = await replica.open()
  const outputPath = join(testFolder(), 'out.db')
  await restore({ client, outputPath })
  const bytes = readFileSync(outputPath)
  for (let pgno = 1; pgno <= 400; pgno++) {
    const found = bytes.subarray((pgno - 1) * pageSize, pgno * pageSize)
    expect({ pgno, equal: found.equals(page(pageSize, pgno, versions[pgno]!)) }).toEqual({
      pgno,
      equal: true,
    })
  }
})

test('the lock page at 1 GiB is zeros and takes its place', async () => {
  const { bytes, expected } = await restoreAroundLockPage(65536)
  expect(bytes.equals(expected)).toBe(true)
})

test('progress counts every byte and file, and ends at the whole', async () => {
  const pageSize = 4096
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize,
    commit: 9,
    pages: pages(pageSize, 1, 9, 1),
  })
  for (let txid = 2; txid < 30; txid++)
    replica.add({ min: txid, max: txid, pageSize, commit: 9, pages: pages(pageSize, 3, 4, txid) })
  await using client = await replica.open()
  const seen: RestoreProgress[] = []
  const result = await restore({
    client,
    outputPath: join(testFolder(), 'out.db'),
    onProgress: (p) => seen.push(p),
  })
  const bytesTotal = result.files.reduce((sum, file) => sum + file.sizeBytes, 0)
  expect(seen.at(-1)).toEqual({
    bytesRead: bytesTotal,
    bytesTotal,
    filesApplied: 29,
    filesTotal: 29,
    txid: 29n,
  })
  for (const [i, p] of seen.entries()) {
    expect(p.bytesTotal).toBe(bytesTotal)
    expect(p.bytesRead).toBeGreaterThanOrEqual(seen[i - 1]?.bytesRead ?? 0)
  }
})

test('a dry run tells the plan and the size, and touches nothing', async () => {
  const pageSize = 4096
  const replica = new SyntheticReplica()
    .add({ level: 9, min: 1, max: 7, pageSize, commit: 3, pages: pages(pageSize, 1, 3, 1) })
    .add({ min: 8, max: 8, pageSize, commit: 4, pages: pages(pageSize, 4, 4, 1) })
  await using client = await replica.open()
  const folder = testFolder()
  const result = await restore({ client, outputPath: join(folder, 'a', 'out.db'), dryRun: true })
  expect(result).toMatchObject({ dryRun: true, skipped: false, txid: 8n, sizeBytes: 4 * pageSize, pageSize })
  expect(result.files.map((f) => f.maxTXID)).toEqual([7n, 8n])
  expect(namesIn(folder)).toEqual([])
})

test('an abort rejects with its reason and leaves nothing', async () => {
  const pageSize = 4096
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize,
    commit: 90,
    pages: pages(pageSize, 1, 90, 1),
  })
  await using client = await replica.open()
  const folder = testFolder()
  const outputPath = join(folder, 'new', 'out.db')
  const reason = new Error('enough')
  await expect(restore({ client, outputPath, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const onProgress = (): void => controller.abort(reason)
  await expect(restore({ client, outputPath, signal: controller.signal, onProgress })).rejects.toBe(reason)
  expect(namesIn(folder)).toEqual([])
})

test('what the database needs is asked of the file system before anything is written', async () => {
  const pageSize = 65536
  const good = encodeFile({ min: 1, max: 1, pageSize, commit: 2, pages: pages(pageSize, 1, 2, 1) })
  const huge = Buffer.from(good)
  huge.writeUInt32BE(0xfffffff0, 12)
  expect(decodeHeader(huge.subarray(0, 100)).commit).toBe(0xfffffff0)
  const replica = new SyntheticReplica().add(
    { level: 9, min: 1, max: 1, pageSize, commit: 2, pages: [] },
    huge,
  )
  await using client = await replica.open()
  const folder = testFolder()
  mkdirSync(join(folder, 'there'))
  for (const name of ['there', 'missing']) {
    await expect(restore({ client, outputPath: join(folder, name, 'out.db') })).rejects.toMatchObject({
      code: 'RESTORE_NO_SPACE',
      hint: expect.stringContaining('space') as string,
    })
  }
  expect(namesIn(folder)).toEqual(['there'])
  expect(namesIn(join(folder, 'there'))).toEqual([])
})

test('missing folders above the output are made for their owner alone, and taken away if the restore fails', async () => {
  const pageSize = 512
  const replica = new SyntheticReplica().add({
    level: 9,
    min: 1,
    max: 1,
    pageSize,
    commit: 1,
    pages: pages(pageSize, 1, 1, 1),
  })
  await using client = await replica.open()
  const folder = testFolder()
  const outputPath = join(folder, 'a', 'b', 'out.db')
  await expect(restore({ client, outputPath, integrityCheck: 'quick' })).rejects.toMatchObject({
    code: 'RESTORE_INTEGRITY_FAILED',
  })
  expect(namesIn(folder)).toEqual([])
  await restore({ client, outputPath })
  expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700)
  expect(namesIn(join(folder, 'a', 'b'))).toEqual(['out.db'])
  writeFileSync(join(folder, 'file'), '')
  await expect(restore({ client, outputPath: join(folder, 'file', 'out.db') })).rejects.toMatchObject({
    name: 'RestoreError',
  })
})
