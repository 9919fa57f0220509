import { expect, test } from 'vitest'
import { formatTime, metadataOfTime, parseTime, timeOfMetadata } from '../../replica/time-metadata.ts'

test('a time is written in UTC without the zeros at the end of its fraction', () => {
  const texts: Record<string, string> = {
    '2026-06-07T12:34:56.789Z': '2026-06-07T12:34:56.789Z',
    '2026-06-07T12:34:56.780Z': '2026-06-07T12:34:56.78Z',
    '2026-06-07T12:34:56.700Z': '2026-06-07T12:34:56.7Z',
    '2026-06-07T12:34:50.000Z': '2026-06-07T12:34:50Z',
    '2026-06-07T12:34:00.000Z': '2026-06-07T12:34:00Z',
    '2026-06-07T00:00:00.000Z': '2026-06-07T00:00:00Z',
  }
  for (const [iso, text] of Object.entries(texts)) {
    expect(formatTime(Date.parse(iso))).toBe(text)
    expect(parseTime(text)).toBe(Date.parse(iso))
  }
})

test('any offset and any number of decimals is read, other text is not', () => {
  expect(parseTime('2026-06-07T14:34:56.789999999+02:00')).toBe(Date.parse('2026-06-07T12:34:56.789Z'))
  expect(parseTime('2026-06-07t12:34:56z')).toBe(Date.parse('2026-06-07T12:34:56Z'))
  for (const text of [
    '',
    'now',
    '2026-06-07',
    '2026-06-07T12:34:56',
    '2026-13-07T12:34:56Z',
    '1780835696789',
  ]) {
    expect(parseTime(text)).toBeUndefined()
  }
})

test('metadata without a readable time has none', () => {
  expect(timeOfMetadata(metadataOfTime(1234))).toBe(1234)
  expect(timeOfMetadata(undefined)).toBeUndefined()
  expect(timeOfMetadata({ 'litestream-timestamp': 'x' })).toBeUndefined()
})
