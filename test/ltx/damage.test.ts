import { describe, expect, test } from 'vitest'
import { LTXError, verifyLTX } from '../../ltx/index.ts'
import { codeOf, decode, type DecodedFile, encode, fixture, headerOf, pageOf, pieces } from './files.ts'

const small = [
  'block-l0-txid2-nochecksum-512',
  'block-snapshot-checksummed-512',
  'block-nopages-nochecksum-512',
  'block-deletion-commit0-512',
  'frame-l0-txid2-nochecksum-512',
]

function asText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString(16) : value
}

/** What the file says, apart from how it is compressed. */
function contentOf({ header, pages, trailer }: DecodedFile): string {
  const bytes = [...pages].map(([pgno, data]) => [pgno, Buffer.from(data).toString('hex')])
  return JSON.stringify([{ ...header, reserved: [...header.reserved] }, bytes, trailer], asText)
}

describe.each(small)('%s', (name) => {
  const file = fixture(`ltx/${name}.ltx`)

  test('is refused as cut off at every length', () => {
    for (let length = 0; length < file.length; length++) {
      expect(
        codeOf(() => decode(file.subarray(0, length))),
        `at ${length}`,
      ).toBe('LTX_TRUNCATED')
    }
  })

  test('is refused, or says exactly the same, with any one byte changed to any other', () => {
    const content = contentOf(decode(file))
    let accepted = 0
    for (let at = 0; at < file.length; at++) {
      const damaged = file.slice()
      for (let change = 1; change < 256; change++) {
        damaged[at] = file[at]! ^ change
        try {
          const same = contentOf(decode(damaged)) === content
          expect(same, `byte ${at} changed by ${change}`).toBe(true)
          accepted++
        } catch (error) {
          if (!(error instanceof LTXError)) throw error
        }
      }
    }
    // Only a payload has two spellings of one page; nothing else may be changed unnoticed.
    const payloads = name.includes('nopages') || name.includes('deletion') ? 0 : 0.02
    expect(accepted / (file.length * 255)).toBeLessThanOrEqual(payloads)
  })

  test('is refused with bytes after it', () => {
    for (const extra of [1, 7, 100]) {
      const code = codeOf(() => decode(new Uint8Array([...file, ...new Uint8Array(extra)])))
      expect(code).toBe('LTX_TRAILING_BYTES')
    }
  })

  test('is refused with any one byte left out or doubled', () => {
    for (let at = 0; at < file.length; at++) {
      const left = new Uint8Array([...file.subarray(0, at), ...file.subarray(at + 1)])
      const doubled = new Uint8Array([...file.subarray(0, at + 1), ...file.subarray(at)])
      expect(
        codeOf(() => decode(left)),
        `without ${at}`,
      ).toBeDefined()
      expect(
        codeOf(() => decode(doubled)),
        `with ${at} twice`,
      ).toBeDefined()
    }
  })
})

describe('verifyLTX', () => {
  test('reports the same in any pieces, of any kind of iterable', async () => {
    const file = fixture('ltx/block-text-1024.ltx')
    const whole = await verifyLTX([file])
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (const piece of pieces(file, 10)) {
        await new Promise(setImmediate)
        yield piece
      }
    }
    expect(await verifyLTX(slowly())).toEqual(whole)
    expect(await verifyLTX(pieces(file, 1))).toEqual(whole)
    expect(whole.pages).toBe(4)
  })

  test('takes a large file in one piece', async () => {
    const pages = Array.from({ length: 2000 }, (_, at) => [at + 1, pageOf(at + 1, 512)] as const)
    const file = encode(headerOf({ commit: 2000 }), pages)
    expect(file.length).toBeGreaterThan(500_000)
    expect(await verifyLTX([file])).toMatchObject({ pages: 2000, sizeBytes: file.length })
  })

  test('lets go of the source when the file is damaged', async () => {
    const file = fixture('ltx/bad-magic.ltx')
    let released = false
    function* source(): Generator<Uint8Array> {
      try {
        yield file
        yield file
      } finally {
        released = true
      }
    }
    await expect(verifyLTX(source())).rejects.toMatchObject({ code: 'LTX_BAD_MAGIC' })
    expect(released).toBe(true)
  })

  test('rejects with what the source rejects with', async () => {
    const failure = new Error('connection reset')
    // oxlint-disable-next-line require-yield -- a source that fails at once
    async function* source(): AsyncGenerator<Uint8Array> {
      await Promise.resolve()
      throw failure
    }
    await expect(verifyLTX(source())).rejects.toBe(failure)
  })

  test('stops when aborted, before and while it waits for bytes', async () => {
    const reason = new Error('enough')
    await expect(verifyLTX([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    async function* never(): AsyncGenerator<Uint8Array> {
      controller.abort(reason)
      await new Promise(() => undefined)
      yield new Uint8Array(0)
    }
    await expect(verifyLTX(never(), { signal: controller.signal })).rejects.toBe(reason)
  })
})
