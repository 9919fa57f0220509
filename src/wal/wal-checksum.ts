const machineIsBigEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 0

/**
 * The running checksum of a SQLite WAL: two u32 words over pairs of u32 words (SQLite file format 4.2).
 *
 * The words of the content are read in the byte order that the WAL's magic names, which need not be the machine's.
 * A new object starts at (0, 0), the seed of the WAL header; `seed` continues from a stored frame checksum.
 */
export class WALChecksum {
  /** Whether content words are read big-endian (magic `377f0683`). */
  readonly bigEndian: boolean
  /** First word of the state, u32. */
  s0 = 0
  /** Second word of the state, u32. */
  s1 = 0

  constructor(bigEndian: boolean) {
    this.bigEndian = bigEndian
  }

  /** Continues from a stored checksum, both words u32. */
  seed(s0: number, s1: number): void {
    this.s0 = s0 >>> 0
    this.s1 = s1 >>> 0
  }

  /** Adds `bytes`, whose length must be a multiple of 8. Fastest where they start at a multiple of 4 in their buffer. */
  update(bytes: Uint8Array): void {
    if (bytes.length % 8 !== 0)
      throw new RangeError(`wal checksum over ${bytes.length} bytes, not a multiple of 8`)
    if (bytes.byteOffset % 4 !== 0) this.#addUnaligned(bytes)
    else {
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
      if (this.bigEndian === machineIsBigEndian) this.#addNative(words)
      else this.#addSwapped(words)
    }
  }

  #addNative(words: Uint32Array): void {
    let s0 = this.s0 | 0
    let s1 = this.s1 | 0
    for (let i = 0; i < words.length; i += 2) {
      s0 = (s0 + words[i]! + s1) | 0
      s1 = (s1 + words[i + 1]! + s0) | 0
    }
    this.seed(s0, s1)
  }

  #addSwapped(words: Uint32Array): void {
    let s0 = this.s0 | 0
    let s1 = this.s1 | 0
    for (let i = 0; i < words.length; i += 2) {
      s0 = (s0 + swap(words[i]!) + s1) | 0
      s1 = (s1 + swap(words[i + 1]!) + s0) | 0
    }
    this.seed(s0, s1)
  }

  #addUnaligned(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let s0 = this.s0 | 0
    let s1 = this.s1 | 0
    for (let i = 0; i < bytes.length; i += 8) {
      s0 = (s0 + view.getUint32(i, !this.bigEndian) + s1) | 0
      s1 = (s1 + view.getUint32(i + 4, !this.bigEndian) + s0) | 0
    }
    this.seed(s0, s1)
  }
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}
