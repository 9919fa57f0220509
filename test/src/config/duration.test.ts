import { expect, test } from 'vitest'
import { parseDuration } from '../../../src/config/duration.ts'

test.each([
  ['0', 0],
  ['1s', 1000],
  ['250ms', 250],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['2h0m1s', 7_201_000],
  ['100us', 0.1],
  ['100µs', 0.1],
  ['24h', 86_400_000],
])('%s is %d ms', (text, durationMs) => {
  expect(parseDuration(text)).toBeCloseTo(durationMs, 9)
})

test.each(['', '1', '1 s', 's', '1d', '-1s', '1s ', '1m30', 'm1', '1.s.', 'Infinitys', '1e3s'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
  },
)
