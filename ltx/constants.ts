/** First four bytes of every LTX file, ASCII `LTX1` as a big-endian number (LTX v3, header). */
export const MAGIC: number = 0x4c545831

/** Size of the file header in bytes (LTX v3, header). */
export const HEADER_BYTES: number = 100

/** Size of the verbatim tail of the header in bytes (LTX v3, header). */
export const RESERVED_BYTES: number = 20

/** Size of a page header, and of the all-zero one that ends the pages, in bytes (LTX v3, page frame). */
export const PAGE_HEADER_BYTES: number = 6

/** Size of the length in front of a block payload in bytes (LTX v3, page frame). */
export const BLOCK_SIZE_PREFIX_BYTES: number = 4

/** Size of the length behind the page index in bytes (LTX v3, page index). */
export const INDEX_LENGTH_BYTES: number = 8

/** Size of the file trailer in bytes (LTX v3, trailer). */
export const TRAILER_BYTES: number = 16

/** Header flag: neither the database nor its pages carry checksums; the file checksum stays (LTX v3, header). */
export const HEADER_FLAG_NO_CHECKSUM = 2

/** Page flag: the payload is a length and one LZ4 block; without it one LZ4 frame (LTX v3, page frame). */
export const PAGE_FLAG_BLOCK = 1

/** Smallest page size in bytes (SQLite file format 1.3.2). */
export const MIN_PAGE_SIZE_BYTES = 512

/** Largest page size in bytes (SQLite file format 1.3.2). */
export const MAX_PAGE_SIZE_BYTES = 65536

/** Byte offset that SQLite locks and never stores; its page is in no LTX file (SQLite file format 1.6). */
export const LOCK_BYTE_OFFSET = 0x40000000

/** Bit 63: marks a stored checksum as present (LTX v3, checksums). */
export const CHECKSUM_FLAG: bigint = 0x8000000000000000n

/** Largest unsigned 64-bit value, the upper bound of TXIDs, checksums and node ids. */
export const MAX_UINT64: bigint = 0xffffffffffffffffn
