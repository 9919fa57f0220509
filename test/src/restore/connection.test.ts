import { describe, expect, test } from 'vitest'
import type { LTXFileID, ReplicaClient } from '../../../replica/index.ts'
import { chain, failure, quickClock, restored, stateOf } from './chain-ground.ts'
import { withFaults } from './restore-ground.ts'

function breaking(client: ReplicaClient, everyBytes: number, offsets: number[]): ReplicaClient {
  return withFaults(client, {
    openLTXFile: async (file: LTXFileID, options) => {
      const bytes = await client.openLTXFile(file, options)
      if (options?.lengthBytes !== undefined || bytes === undefined) return bytes
      offsets.push(options?.offset ?? 0)
      return (async function* cutShort() {
        let left = everyBytes
        for await (const chunk of bytes) {
          if (left > 0) yield chunk.subarray(0, left)
          left -= chunk.length
          if (left < 0) throw new Error('connection reset')
        }
      })()
    },
  })
}

describe('a connection that breaks', () => {
  test('is taken up at the byte reached, as long as there is progress', async () => {
    await using client = await chain(3).open()
    const clock = quickClock()
    const offsets: number[] = []
    expect(
      (await restored(breaking(client, 40, offsets), { clock, parallelism: 1 })).equals(stateOf(3)),
    ).toBe(true)
    expect(offsets.slice(0, 4)).toEqual([0, 40, 80, 120])
    expect(new Set(clock.waits)).toEqual(new Set([250]))
  })

  test('without progress is given up after three tries, with growing waits', async () => {
    await using client = await chain(1).open()
    const clock = quickClock()
    expect(await failure(breaking(client, 0, []), clock)).toMatchObject({
      code: 'RESTORE_READ_FAILED',
      message: expect.stringMatching(/at byte 0 of level 9, .*connection reset/) as string,
    })
    expect(clock.waits).toEqual([250, 500, 1000])
  })

  test('at an early end without an error is the same', async () => {
    await using client = await chain(1).open()
    const clock = quickClock()
    const ending = withFaults(client, {
      openLTXFile: (file: LTXFileID, options) =>
        client.openLTXFile(file, {
          offset: options?.offset,
          lengthBytes: options?.offset === undefined ? 100 : 0,
        }),
    })
    expect(await failure(ending, clock)).toMatchObject({
      code: 'RESTORE_READ_FAILED',
      message: expect.stringMatching(/at byte 100 of .*the file ends before its \d+ bytes/) as string,
    })
    expect(clock.waits).toEqual([250, 500, 1000])
  })

  test('that cannot recover is told at once', async () => {
    await using client = await chain(1).open()
    const denied = Object.assign(new Error('access denied'), { retryable: false })
    const clock = quickClock()
    expect(await failure(withFaults(client, { openLTXFile: () => Promise.reject(denied) }), clock)).toBe(
      denied,
    )
    expect(clock.waits).toEqual([])
  })
})

test.each([1, 3, 8])(
  'at most %i small files are fetched at a time, and that many where the store is slow',
  async (parallelism) => {
    await using client = await chain(40).open()
    let underWay = 0
    let most = 0
    const slow = withFaults(client, {
      openLTXFile: async (file, options) => {
        const bytes = await client.openLTXFile(file, options)
        if (options?.lengthBytes !== undefined || bytes === undefined) return bytes
        most = Math.max(most, ++underWay)
        return (async function* slowly() {
          await new Promise((resolve) => setTimeout(resolve, 2))
          yield* bytes
          underWay--
        })()
      },
    })
    expect((await restored(slow, { parallelism })).equals(stateOf(40))).toBe(true)
    expect(most).toBe(parallelism)
  },
)
