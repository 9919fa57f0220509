import { createHash } from 'node:crypto'
import type { ETag } from './object-store.ts'

/** The ETag of bytes: their SHA-256 in lower-case hex. Equal ETags mean equal bytes. */
export function contentETag(bytes: Uint8Array): ETag {
  return createHash('sha256').update(bytes).digest('hex')
}
