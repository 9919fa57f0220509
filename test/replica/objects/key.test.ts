import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { assertKey, assertPrefix, compareKeys, folderOfKey, isKey } from '../../../replica/objects/key.ts'

test('key order is the order of the UTF-8 bytes', () => {
  // Dense around the surrogates, where UTF-16 has another order.
  const unit = fc.oneof(
    fc.constantFrom('a', 'b', '/', '-', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', 'é'),
    fc.string(),
  )
  const text = fc.array(unit, { maxLength: 5 }).map((units) => units.join(''))
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('no key leads out of the root', () => {
  const segment = fc.constantFrom('', '.', '..', 'a', '.a', 'a.', '...', '\\', '\0', '.x.tmp', 'x.tmp')
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
      const key = segments.join('/')
      const isSafe =
        segments.length > 0 && segments.every((part) => !['', '.', '..', '\\', '\0', '.x.tmp'].includes(part))
      expect(isKey(key)).toBe(isSafe)
      if (isSafe) assertKey(key)
      else expect(() => assertKey(key)).toThrow(expect.objectContaining({ code: 'OBJECT_UNSAFE_KEY' }))
    }),
  )
})

test('every beginning of a key is a prefix', () => {
  for (const key of ['ltx/0/0000000000000001-0000000000000001.ltx', '.../..x/.y.tmpo', 'é/\u{1f600}']) {
    assertKey(key)
    const characters = Array.from(key)
    for (let i = 0; i <= characters.length; i++) assertPrefix(characters.slice(0, i).join(''))
  }
})

test('the folder of a key is what stands before its last slash', () => {
  expect(['a', 'a/b', 'a/b/c', 'a/b/', ''].map(folderOfKey)).toEqual(['', 'a', 'a/b', 'a/b', ''])
})
