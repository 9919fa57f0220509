import { expect, test } from 'vitest'
import { RepeatedErrors } from '../../src/repeated-errors.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { recordingLogger } from '../helpers/stepped-replication.ts'

function start(): { lines: string[]; clock: FakeClock; errors: RepeatedErrors } {
  const lines: string[] = []
  const clock = new FakeClock()
  return { lines, clock, errors: new RepeatedErrors(recordingLogger(lines), clock) }
}

const gone = new Error('it is gone')

test('the same fault is said at once and then every 30 s, with the number of attempts', () => {
  const { lines, clock, errors } = start()
  for (let second = 0; second < 61; second++) {
    errors.report(gone, 'upload failed')
    clock.advance(1000)
  }
  expect(lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))).attempts)).toEqual([1, 31, 61])
  expect(lines.every((line) => line.startsWith('error upload failed {"err":{"message":"it is gone"'))).toBe(
    true,
  )
})

test('another fault is said at once', () => {
  const { lines, errors } = start()
  errors.report(gone, 'upload failed')
  errors.report(new Error('it is full'), 'upload failed')
  errors.report(new Error('it is full'), 'listing failed')
  errors.report('no error object', 'listing failed')
  expect(lines).toHaveLength(4)
})

test('the end of a fault is said once, and a fault after it at once', () => {
  const { lines, errors } = start()
  errors.recovered('uploads go on')
  expect(lines).toEqual([])
  errors.report(gone, 'upload failed')
  errors.report(gone, 'upload failed')
  errors.recovered('uploads go on')
  errors.recovered('uploads go on')
  expect(lines.slice(1)).toEqual(['info uploads go on {"attempts":2}'])
  errors.report(gone, 'upload failed')
  expect(lines[2]).toContain('"attempts":1')
})
