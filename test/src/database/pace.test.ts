import { expect, test } from 'vitest'
import { Pace } from '../../../src/database/pace.ts'

test('the longer changes keep coming, the more of them gather', () => {
  const pace = new Pace(0)
  const pausesMs = Array.from({ length: 102 }, () => pace.afterCaptureMs())
  expect(pausesMs.slice(0, 3)).toEqual([5, 5, 5])
  expect(new Set(pausesMs.slice(3, 100))).toEqual(new Set([10]))
  expect(pausesMs.slice(100)).toEqual([20, 20])
})

test('quiet starts it over', () => {
  const pace = new Pace(0)
  expect(pace.isBusy).toBe(false)
  pace.afterCaptureMs()
  expect(pace.isBusy).toBe(false)
  for (let capture = 0; capture < 200; capture++) pace.afterCaptureMs()
  expect(pace.isBusy).toBe(true)
  pace.quiet()
  expect(pace.isBusy).toBe(false)
  expect(pace.afterCaptureMs()).toBe(5)
})

test.each([
  [1, 5],
  [1000, 1000],
])('a pace of %i ms that is asked for gives %i ms at least', (shortestMs, pauseMs) => {
  expect(new Pace(shortestMs).afterCaptureMs()).toBe(pauseMs)
})
