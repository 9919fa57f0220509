import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CHECKSUM_FLAG,
  Encoder,
  type Header,
  HEADER_FLAG_NO_CHECKSUM,
  isContiguous,
  mergeLTX,
  mergePages,
  RollingChecksum,
} from '../../ltx/index.ts'
import { decode, encode, fingerprint, fixture, headerOf, pageOf, rejectedCodeOf, source } from './files.ts'
import { countedSources, filesOf, merge, sources } from './merging.ts'

const chain = ['txid1', 'txid2', 'txid3-shrink'].map((name) =>
  fixture(`ltx/block-l0-${name}-nochecksum-512.ltx`),
)
const tracked = ['snapshot-checksummed', 'incremental-checksummed', 'deletion-commit0'].map((name) =>
  fixture(`ltx/block-${name}-512.ltx`),
)

describe('merging what Go has merged', () => {
  test.each([
    ['1-2', [0, 1]],
    ['2-3', [1, 2]],
    ['1-3', [0, 1, 2]],
  ] as const)('gives TXIDs %s byte for byte', async (name, inputs) => {
    const expected = fixture(`ltx/block-compacted-${name}.ltx`)
    const merged = await merge(sources(inputs.map((at) => chain[at]!)))
    expect(Buffer.from(merged.bytes).toString('hex')).toBe(Buffer.from(expected).toString('hex'))
  })

  test('gives the same pages from files of frames, and as a file of frames', async () => {
    const frames = [1, 2].map((txid) => fixture(`ltx/frame-l0-txid${txid}-nochecksum-512.ltx`))
    const expected = decode(fixture('ltx/block-compacted-1-2.ltx'))
    for (const payload of ['block', 'frame'] as const) {
      const merged = await merge(sources(frames), { payload })
      expect(merged.header).toEqual(expected.header)
      expect(merged.pages).toEqual(expected.pages)
      expect(merged.bytes[105]).toBe(payload === 'block' ? 1 : 0)
    }
  })

  test('says what it has written', async () => {
    const { result, bytes, header, trailer } = await merge(sources(chain))
    expect(result).toEqual({ header, trailer, sizeBytes: bytes.length, pages: 2 })
  })
})

describe('the merged file', () => {
  test('has the start of the first input and the end of the last', async () => {
    const first = encode(headerOf({ minTXID: 5n, maxTXID: 7n, commit: 9, timestampMs: 1, nodeID: 7n }), [])
    const last = encode(
      headerOf({
        minTXID: 8n,
        maxTXID: 12n,
        commit: 3,
        timestampMs: 2,
        walOffset: 32,
        walSize: 5,
        walSalt1: 6,
        walSalt2: 7,
      }),
      [],
    )
    const expected = headerOf({ minTXID: 5n, maxTXID: 12n, commit: 3, timestampMs: 2 })
    expect((await merge(sources([first, last]))).header).toEqual(expected)
    const kept = await merge(sources([first, last]), { keepWALFields: true })
    expect(kept.header).toEqual({ ...expected, walOffset: 32, walSize: 5, walSalt1: 6, walSalt2: 7 })
  })

  test('has the newest of every page, and none past the end of the database', async () => {
    const files = [
      encode(
        headerOf({ minTXID: 2n, maxTXID: 2n, commit: 9 }),
        [1, 2, 3, 9].map((at) => [at, pageOf(at, 512, 1)]),
      ),
      encode(
        headerOf({ minTXID: 3n, maxTXID: 3n, commit: 9 }),
        [2, 4, 8].map((at) => [at, pageOf(at, 512, 2)]),
      ),
      encode(
        headerOf({ minTXID: 4n, maxTXID: 4n, commit: 7 }),
        [3].map((at) => [at, pageOf(at, 512, 3)]),
      ),
    ]
    const { pages } = await merge(sources(files))
    expect(fingerprint(pages)).toEqual(
      fingerprint([
        [1, pageOf(1, 512, 1)],
        [2, pageOf(2, 512, 2)],
        [3, pageOf(3, 512, 3)],
        [4, pageOf(4, 512, 2)],
      ]),
    )
  })

  test('does not bring a page back that was cut off, when the database grows again', async () => {
    const files = [
      encode(headerOf({ minTXID: 2n, maxTXID: 2n, commit: 9 }), [[8, pageOf(8, 512, 1)]]),
      encode(headerOf({ minTXID: 3n, maxTXID: 3n, commit: 5 }), []),
      encode(headerOf({ minTXID: 4n, maxTXID: 4n, commit: 9 }), [[9, pageOf(9, 512, 3)]]),
    ]
    expect([...(await merge(sources(files))).pages.keys()]).toEqual([9])
  })

  test('of one input is that input', async () => {
    expect((await merge(sources([chain[1]!]), { keepWALFields: true })).bytes).toEqual(chain[1])
  })

  test('keeps checksums when asked to', async () => {
    const merged = await merge(sources(tracked.slice(0, 2)), { flags: 0 })
    expect(merged.header).toMatchObject({ flags: 0, preApplyChecksum: 0n, minTXID: 1n, maxTXID: 8n })
    expect(merged.trailer.postApplyChecksum).toBe(0xc1382ec165b1c71cn)
    const rest = await merge(sources(tracked.slice(1)), { flags: 0 })
    expect(rest.header.preApplyChecksum).toBe(0xa96490a0191d14a5n)
    expect(rest.trailer.postApplyChecksum).toBe(CHECKSUM_FLAG)
    const plain = await merge(sources(tracked.slice(0, 2)))
    expect(plain.header.flags).toBe(HEADER_FLAG_NO_CHECKSUM)
    expect(plain.trailer.postApplyChecksum).toBe(0n)
  })

  test('adds up the checksum of a snapshot whose inputs have none, and cannot do so for others', async () => {
    const merged = await merge(sources(chain), { flags: 0 })
    const rolling = new RollingChecksum()
    for (const [pgno, data] of merged.pages) rolling.toggle(pgno, data)
    expect(merged.trailer.postApplyChecksum).toBe(rolling.digest())
    expect(await rejectedCodeOf(merge(sources(chain.slice(1)), { flags: 0 }))).toBe(
      'LTX_INVALID_PRE_APPLY_CHECKSUM',
    )
  })
})

describe('a merge fails', () => {
  test('of nothing', async () => {
    expect(await rejectedCodeOf(merge([]))).toBe('LTX_NO_INPUT')
  })

  test('over a gap, unless that is allowed', async () => {
    expect(await rejectedCodeOf(merge(sources([chain[0]!, chain[2]!])))).toBe('LTX_NOT_CONTIGUOUS')
    expect((await merge(sources([chain[0]!, chain[2]!]), { allowGaps: true })).header).toMatchObject({
      minTXID: 1n,
      maxTXID: 3n,
    })
  })

  test('with inputs in the wrong order, or one twice', async () => {
    expect(await rejectedCodeOf(merge(sources([chain[1]!, chain[0]!])))).toBe('LTX_NOT_CONTIGUOUS')
    expect(await rejectedCodeOf(merge(sources([chain[0]!, chain[0]!])))).toBe('LTX_NOT_CONTIGUOUS')
  })

  test('over two page sizes', async () => {
    const other = encode(headerOf({ pageSize: 1024, minTXID: 2n, maxTXID: 2n }), [])
    expect(await rejectedCodeOf(merge(sources([chain[0]!, other])))).toBe('LTX_PAGE_SIZE_MISMATCH')
  })

  test('when a file does not start from the database that the one before it left', async () => {
    const { header, pages, trailer } = decode(tracked[1]!)
    const forked = encode({ ...header, preApplyChecksum: CHECKSUM_FLAG | 5n }, pages, trailer)
    expect(await rejectedCodeOf(merge(sources([tracked[0]!, forked])))).toBe('LTX_PRE_APPLY_MISMATCH')
  })

  test('when a snapshot grows and a page of the growth is missing', async () => {
    const grown = encode(headerOf({ minTXID: 2n, maxTXID: 2n, commit: 6 }), [
      [4, pageOf(4, 512)],
      [6, pageOf(6, 512)],
    ])
    expect(await rejectedCodeOf(merge(sources([chain[0]!, grown])))).toBe('LTX_INCOMPLETE_SNAPSHOT')
  })

  test.each([0, 1, 2])('on any damage to input %i, and names it', async (damaged) => {
    for (const [at, code] of [
      [0, 'LTX_BAD_MAGIC'],
      [9, 'LTX_INVALID_PAGE_SIZE'],
      [-1, 'LTX_CHECKSUM_MISMATCH'],
      [-26, 'LTX_INDEX_MISMATCH'],
    ] as const) {
      const files = chain.map((file) => file.slice())
      const file = files[damaged]!
      file[at < 0 ? file.length + at : at]! ^= 1
      await expect(merge(sources(files))).rejects.toMatchObject({ code, input: `file ${damaged}` })
    }
    const cut = chain.map((file, at) => (at === damaged ? file.subarray(0, 99) : file))
    await expect(merge(sources(cut))).rejects.toMatchObject({
      code: 'LTX_TRUNCATED',
      input: `file ${damaged}`,
    })
    const empty = chain.map((file, at) => (at === damaged ? file.subarray(0, 0) : file))
    await expect(merge(sources(empty))).rejects.toMatchObject({
      code: 'LTX_TRUNCATED',
      input: `file ${damaged}`,
    })
  })

  test('with what a source, its bytes or the sink fail with', async () => {
    const failure = new Error('gone')
    const failing = (): never => {
      throw failure
    }
    await expect(merge([source('good', chain[0]!), { name: 'bad', open: failing }])).rejects.toBe(failure)
    await expect(merge([{ name: 'bad', open: () => Promise.reject(failure) }])).rejects.toBe(failure)
    await expect(mergeLTX(sources(chain), failing)).rejects.toBe(failure)
    await expect(mergeLTX(sources(chain), () => Promise.reject(failure))).rejects.toBe(failure)
  })

  test('and lets go of every source that it has opened', async () => {
    const files = chain.map((file) => file.slice())
    files[1]![0] = 0
    const counted = countedSources(files)
    await expect(merge(counted.sources)).rejects.toMatchObject({ code: 'LTX_BAD_MAGIC' })
    expect(counted.open).toBe(0)
    expect(counted.opened).toBe(3)
  })
})

/** Bytes that never come. */
async function* silent(): AsyncGenerator<Uint8Array> {
  await new Promise(() => undefined)
  yield new Uint8Array(0)
}

describe('aborting', () => {
  test('rejects with the reason, at the start and in the middle, and lets go of the sources', async () => {
    const reason = new Error('enough')
    await expect(merge(sources(chain), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    let released = 0
    async function* stuck(): AsyncGenerator<Uint8Array> {
      try {
        yield chain[0]!.subarray(0, 150)
        controller.abort(reason)
        yield chain[0]!.subarray(150, 151)
        yield chain[0]!.subarray(151)
      } finally {
        released++
      }
    }
    const inputs = [{ name: 'stuck', open: stuck }]
    await expect(merge(inputs, { signal: controller.signal })).rejects.toBe(reason)
    expect(released).toBe(1)
  })

  test('does not wait for a source that has nothing to say', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const merging = merge([{ name: 'silent', open: silent }], { signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(merging).rejects.toBe(reason)
  })
})

describe('a sink that must wait', () => {
  test('is never called again before it is done, also at the end', async () => {
    const zero = new Uint8Array(512)
    const large = encode(
      headerOf({ commit: 60_000 }),
      Array.from({ length: 60_000 }, (_, at) => [at + 1, at % 50 === 0 ? pageOf(at, 512) : zero] as const),
    )
    const chunks: Uint8Array[] = []
    let busy = false
    const options = { keepWALFields: true }
    await mergeLTX(
      [source('large', large)],
      async (chunk) => {
        expect(busy).toBe(false)
        busy = true
        await new Promise(setImmediate)
        // Only now: the piece must still be what it was.
        chunks.push(chunk.slice())
        busy = false
      },
      options,
    )
    expect(chunks.length).toBeGreaterThan(8)
    expect(Buffer.compare(Buffer.concat(chunks), large)).toBe(0)
  })

  test('is not called twice at once when the end of the pages and the index come out together', async () => {
    const tuned = fileWithFullOutputAtItsEnd()
    let busy = false
    let calls = 0
    await mergeLTX([source('tuned', tuned)], async () => {
      expect(busy).toBe(false)
      busy = true
      await new Promise(setImmediate)
      calls++
      busy = false
    })
    expect(calls).toBeGreaterThan(2)
  })
})

/** A file at whose end the output is so full that the first step of finishing calls the sink twice. */
function fileWithFullOutputAtItsEnd(): Uint8Array {
  const zero = new Uint8Array(512)
  const noise = pageOf(1, 1024).slice(0, 512)
  for (let count = 10_000; count < 10_400; count++) {
    const pages = Array.from({ length: count }, (_, at) => [at + 1, at < 9950 ? zero : noise] as const)
    const header = headerOf({ commit: count })
    let calls = 0
    const encoder = new Encoder(header, () => calls++)
    for (const [pgno, data] of pages) encoder.writePage(pgno, data)
    calls = 0
    encoder.finishInSteps().next()
    if (calls === 2) return encode(header, pages)
  }
  throw new Error('no such file')
}

describe('merging pages', () => {
  test('gives the pages of the merged file without a file', async () => {
    const { header, pages, trailer } = await merge(sources(tracked.slice(0, 2)), { flags: 0 })
    const headers: Header[] = []
    const seen: [number, Uint8Array][] = []
    const result = await mergePages(
      sources(tracked.slice(0, 2), 10),
      {
        header: (found) => void headers.push(found),
        page: async ({ pgno, data }) => {
          await new Promise(setImmediate)
          seen.push([pgno, data.slice()])
        },
      },
      { flags: 0 },
    )
    expect(headers).toEqual([header])
    expect(fingerprint(seen)).toEqual(fingerprint(pages))
    expect(result).toEqual({ header, pages: pages.size, postApplyChecksum: trailer.postApplyChecksum })
  })

  test('refuses an incomplete snapshot itself, there being no encoder to do it', async () => {
    const grown = encode(headerOf({ minTXID: 2n, maxTXID: 2n, commit: 6 }), [[4, pageOf(4, 512)]])
    const ignore = { header: (): void => undefined, page: (): void => undefined }
    expect(await rejectedCodeOf(mergePages(sources([chain[0]!, grown]), ignore))).toBe(
      'LTX_INCOMPLETE_SNAPSHOT',
    )
  })
})

describe('contiguity', () => {
  test.each([
    [5n, 6n, 6n, true],
    [5n, 6n, 9n, true],
    [5n, 1n, 9n, true],
    [5n, 5n, 6n, true],
    [5n, 7n, 9n, false],
    [5n, 5n, 5n, false],
    [5n, 1n, 5n, false],
    [5n, 1n, 4n, false],
  ])('after %i, %i to %i: %s', (previousMax, min, max, contiguous) => {
    expect(isContiguous(previousMax, min, max)).toBe(contiguous)
  })
})

/** A history: for each transaction the size of the database after it and the pages it writes. */
const histories = fc.array(
  fc.record({
    commit: fc.integer({ min: 1, max: 12 }),
    writes: fc.uniqueArray(fc.integer({ min: 1, max: 12 })),
  }),
  { minLength: 1, maxLength: 14 },
)

describe('any history', () => {
  test('merges to the database that it leads to, however many files are open at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 700 }),
        async (history, maxOpenInputs, chunkBytes) => {
          const { files, database } = filesOf(history)
          const merged = await merge(sources(files, chunkBytes), { maxOpenInputs })
          expect(merged.header).toMatchObject({
            minTXID: 1n,
            maxTXID: BigInt(files.length),
            commit: history.at(-1)!.commit,
          })
          expect(fingerprint(merged.pages)).toEqual(fingerprint(database))
        },
      ),
      { numRuns: 100 },
    )
  })

  test('merges to the same in any order of merging neighbours', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.nat({ max: 13 }), fc.nat({ max: 13 }), async (history, a, b) => {
        const { files } = filesOf(history)
        const from = Math.min(a, b) % files.length
        const part = files.slice(from, Math.max(a, b) + 1)
        if (part.length === 0) return
        const middle = (await merge(sources(part))).bytes
        const rest = [...files.slice(0, from), middle, ...files.slice(from + part.length)]
        const all = await merge(sources(files))
        expect(fingerprint((await merge(sources(rest))).pages)).toEqual(fingerprint(all.pages))
      }),
      { numRuns: 60 },
    )
  })
})
