import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PageIndexLog, PageIndexWriter } from '../../ltx/page-index-log.ts'
import { uvarint } from './files.ts'

type Entry = readonly [pgno: number, sizeBytes: number]

function logOf(entries: readonly Entry[]): PageIndexLog {
  const log = new PageIndexLog()
  for (const [pgno, sizeBytes] of entries) log.append(pgno, sizeBytes)
  return log
}

/** Page numbers that rise by 1 or by anything, sizes of every length. */
const entriesOf = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1 << 27 })),
      fc.integer({ min: 1, max: 720_000 }),
    ),
    {
      maxLength: 60,
    },
  )
  .map((steps) => {
    let pgno = 0
    return steps.flatMap(([step, sizeBytes]): Entry[] => {
      pgno += step
      return pgno > 0xffffffff ? [] : [[pgno, sizeBytes]]
    })
  })

describe('page index log', () => {
  test('gives back what was put in, with the offsets that follow', () => {
    fc.assert(
      fc.property(entriesOf, (entries) => {
        const log = logOf(entries)
        const cursor = log.read()
        let offset = 100
        for (const [pgno, sizeBytes] of entries) {
          expect(cursor.next()).toBe(true)
          expect([cursor.pgno, cursor.offset, cursor.sizeBytes]).toEqual([pgno, offset, sizeBytes])
          offset += sizeBytes
        }
        expect(cursor.next()).toBe(false)
        expect(log.nextOffset).toBe(offset)
        expect(log.pages).toBe(entries.length)
      }),
    )
  })

  test('can be read from any mark', () => {
    const log = new PageIndexLog()
    const marks = []
    for (let pgno = 3; pgno < 5000; pgno += 1 + (pgno % 3)) {
      marks.push({ pgno, mark: log.mark() })
      log.append(pgno, pgno * 7)
    }
    for (const { pgno, mark } of marks) {
      const cursor = log.readFrom(mark)
      expect(cursor.next()).toBe(true)
      expect([cursor.pgno, cursor.sizeBytes]).toEqual([pgno, pgno * 7])
    }
  })

  test('takes two bytes a page of a snapshot', () => {
    const log = new PageIndexLog()
    for (let pgno = 1; pgno <= 1_000_000; pgno++) log.append(pgno, 2000 + (pgno % 900))
    expect(log.memoryBytes).toBeLessThan(3.2e6)
  })

  test('writes the page index of the format, in pieces of any size', () => {
    fc.assert(
      fc.property(entriesOf, fc.integer({ min: 24, max: 200 }), (entries, pieceBytes) => {
        let offset = 100
        const expected = entries.flatMap(([pgno, sizeBytes]) => {
          const entry = [uvarint(pgno), uvarint(offset), uvarint(sizeBytes)]
          offset += sizeBytes
          return entry
        })
        const writer = new PageIndexWriter(logOf(entries))
        const pieces: Uint8Array[] = []
        for (;;) {
          const piece = new Uint8Array(pieceBytes)
          const end = writer.write(piece, 0)
          if (end === 0) break
          pieces.push(piece.subarray(0, end))
        }
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat([...expected, Uint8Array.of(0)]))
      }),
    )
  })
})
