import { ChunkReader, type LTXBytes } from './chunks.ts'
import { Decoder } from './decoder.ts'
import type { Header } from './header.ts'
import type { Trailer } from './trailer.ts'

/** A file that has been read to its end and is whole. */
export interface VerifiedFile {
  readonly header: Header
  readonly trailer: Trailer
  /** Length of the file in bytes. */
  readonly sizeBytes: number
  /** Number of pages in it. */
  readonly pages: number
}

/**
 * Reads a file to its end and makes every check there is on one file alone. The pages are let go of; memory
 * stays small whatever the size of the file.
 *
 * @throws LTXError with the codes of the decoder's `next`; whatever the source rejects with.
 */
export async function verifyLTX(
  bytes: LTXBytes,
  options: { signal?: AbortSignal } = {},
): Promise<VerifiedFile> {
  const reader = new ChunkReader(bytes, options.signal)
  const decoder = new Decoder()
  try {
    for (;;) {
      const result = decoder.next()
      if (result === 'end') break
      if (result === 'need-input') await feed(decoder, reader)
    }
  } finally {
    reader.close()
  }
  const { header, trailer, offset, pages } = decoder
  return { header: header!, trailer: trailer!, sizeBytes: offset, pages }
}

async function feed(decoder: Decoder, reader: ChunkReader): Promise<void> {
  const chunk = await reader.next()
  if (chunk === undefined) decoder.end()
  else decoder.push(chunk)
}
