import { expect, test } from 'vitest'
import { nearestName } from '../../src/nearest-name.ts'

const names = ['txid', 'timestamp', 'json', 'force', 'replicate', 'restore']

test.each([
  ['tixd', 'txid'],
  ['--txi', 'txid'],
  ['JSON', 'json'],
  ['time-stamp', 'timestamp'],
  ['restoer', 'restore'],
])('%s was meant to be %s', (word, name) => {
  expect(nearestName(word, names)).toBe(name)
})

test.each(['', 'exec', 'frobnicate', 'x', 'follow'])('%j is near nothing', (word) => {
  expect(nearestName(word, names)).toBeUndefined()
})
