import { expect, test } from 'vitest'
import { encodeManyPages } from './many-pages.ts'

test('a snapshot of thirty million pages needs no page index of gigabytes: 512 MB of heap are plenty', async () => {
  const { pages, sizeBytes, sinkBytes, indexMemoryBytes, maxRSSBytes } = await encodeManyPages(
    30_000_000,
    'plain',
  )
  expect(pages).toBe(30_000_000)
  expect(sinkBytes).toBe(sizeBytes)
  expect(indexMemoryBytes / pages).toBeLessThanOrEqual(2.5)
  expect(maxRSSBytes).toBeLessThan(200e6)
}, 180_000)

test('reading three million pages takes no more memory than writing them', async () => {
  const { pages, decodedPages, maxRSSBytes } = await encodeManyPages(3_000_000, 'decode')
  expect(decodedPages).toBe(pages)
  expect(maxRSSBytes).toBeLessThan(150e6)
})

test('memory does not grow with the pages that a synchronous snapshot compresses', async () => {
  const few = await encodeManyPages(20_000, 'noise')
  const many = await encodeManyPages(400_000, 'noise')
  expect(many.sizeBytes).toBeGreaterThan(110e6)
  expect(many.maxRSSBytes - few.maxRSSBytes).toBeLessThan(20e6)
})
