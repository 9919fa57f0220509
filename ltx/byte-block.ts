/**
 * A fixed piece of memory under two views: `bytes` for single bytes and copies, `view` for words at any
 * address. Made once and reused, because a new view per page costs more than a page's checksum does.
 */
export interface ByteBlock {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Room behind the last byte that word-wise copies may overrun, in bytes. */
export const OVERRUN_BYTES = 8

/** A new block of `sizeBytes` plus {@link OVERRUN_BYTES}; its contents are arbitrary. */
export function allocateByteBlock(sizeBytes: number): ByteBlock {
  // Not from the shared pool, so that the block keeps no stranger's memory alive; not cleared, as it is written first.
  const buffer = Buffer.allocUnsafeSlow(sizeBytes + OVERRUN_BYTES)
  // One class of array everywhere keeps the loops over it monomorphic.
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  return { bytes, view: new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength) }
}

/** The two views of bytes that belong to someone else. */
export function wrapBytes(bytes: Uint8Array): ByteBlock {
  const { buffer, byteOffset, byteLength } = bytes
  return {
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
  }
}
