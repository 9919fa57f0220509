import { ChunkReader, type LTXBytes } from './chunks.ts'
import { HEADER_BYTES } from './constants.ts'
import { decodeHeader, type Header } from './header.ts'

/**
 * The header of a file, from its first 100 bytes; the source is let go after them. For bytes in memory there
 * is `decodeHeader`.
 *
 * @throws LTXError with the codes of `decodeHeader`; whatever the source rejects with.
 */
export async function readHeader(bytes: LTXBytes, options: { signal?: AbortSignal } = {}): Promise<Header> {
  const reader = new ChunkReader(bytes, options.signal)
  const head = new Uint8Array(HEADER_BYTES)
  let filled = 0
  try {
    while (filled < HEADER_BYTES) {
      const chunk = await reader.next()
      if (chunk === undefined) break
      const part = chunk.subarray(0, HEADER_BYTES - filled)
      head.set(part, filled)
      filled += part.length
    }
  } finally {
    reader.close()
  }
  return decodeHeader(head.subarray(0, filled))
}
