import { expect, test } from 'vitest'
import { expandEnv } from '../../../src/config/expand-env.ts'

const env = { HOME: '/home/me', EMPTY: '', DOLLAR: '$HOME', A_1: 'x' }

test.each([
  ['$HOME/db', '/home/me/db'],
  ['${HOME}db', '/home/medb'],
  ['$A_1', 'x'],
  ['$$HOME', '$HOME'],
  ['$DOLLAR', '$HOME'],
  ['${EMPTY}', ''],
  ['${EMPTY:-otherwise}', 'otherwise'],
  ['${NONE:-}', ''],
  ['${NONE:-/var/lib}/db', '/var/lib/db'],
  ['a $ b ${ c $1', 'a $ b ${ c $1'],
])('%s becomes %s', (text, expanded) => {
  expect(expandEnv(text, env)).toEqual({ text: expanded, unset: [] })
})

test('names without a value are told', () => {
  expect(expandEnv('$NONE and ${OTHER}', env)).toEqual({ text: ' and ', unset: ['NONE', 'OTHER'] })
})
