// Encodes a snapshot of so many pages, synchronously from the first to the last, and prints what it took. With mode
// `decode` it reads it at the same time.
import { createHeader, Decoder, Encoder, lockPgno } from '../../dist/ltx/index.js'

const [pages, mode] = [Number(process.argv[2]), process.argv[3]]
const pageSize = 512
const skipped = lockPgno(pageSize)
const commit = pages >= skipped ? pages + 1 : pages
const header = createHeader({ pageSize, commit, minTXID: 1n, maxTXID: 1n, timestampMs: 0 })

let sinkBytes = 0
const started = performance.now()
const decoder = mode === 'decode' ? new Decoder() : undefined
const drain = () => {
  let result = decoder.next()
  while (typeof result !== 'string') result = decoder.next()
}
const encoder = new Encoder(header, (chunk) => {
  sinkBytes += chunk.length
  decoder?.push(chunk)
  if (decoder !== undefined) drain()
})
const page = new Uint8Array(pageSize).fill(7)
for (let pgno = 1; pgno <= commit; pgno++) {
  if (pgno === skipped) continue
  // Pages that differ, so that the compressor has a page to compress each time.
  if (mode === 'noise') for (let at = 0; at < 256; at++) page[at] = (pgno * (at + 1)) >>> (at & 7)
  else page[0] = pgno
  encoder.writePage(pgno, page)
}
const file = encoder.finish()
decoder?.end()
if (decoder !== undefined) drain()
console.log(
  JSON.stringify({
    pages: file.pages,
    decodedPages: decoder?.trailer === undefined ? 0 : decoder.pages,
    sizeBytes: file.sizeBytes,
    sinkBytes,
    indexMemoryBytes: encoder.indexMemoryBytes,
    maxRSSBytes: process.resourceUsage().maxRSS * 1024,
    seconds: (performance.now() - started) / 1000,
  }),
)
