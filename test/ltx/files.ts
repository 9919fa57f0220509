import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import lz4 from 'lz4-napi'
import {
  CRC64,
  createHeader,
  type DecodedPage,
  Decoder,
  encodeHeader,
  Encoder,
  type Header,
  type HeaderFields,
  LTXError,
  type LTXSource,
  type PagePayload,
  type Trailer,
} from '../../ltx/index.ts'

const fixtures = new URL('../fixtures/', import.meta.url)

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fileURLToPath(new URL(name, fixtures))))
}

export function jsonFixture(name: string): unknown {
  return JSON.parse(Buffer.from(fixture(name)).toString())
}

/** A header of an incremental file with few fields worth naming. */
export function headerOf(fields: Partial<HeaderFields> = {}): Header {
  return createHeader({
    pageSize: 512,
    commit: 4,
    minTXID: 2n,
    maxTXID: 2n,
    timestampMs: 1700000000123,
    ...fields,
  })
}

/** A page that says which page it is, half of it noise that is the same each time. */
export function pageOf(pgno: number, pageSize: number, version = 0): Uint8Array {
  const page = new Uint8Array(pageSize)
  let state = (Math.imul(pgno, 2654435761) ^ Math.imul(version + 1, 40503)) >>> 0
  for (let at = 0; at < pageSize / 2; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    page[at] = state >>> 24
  }
  return page
}

export interface EncodeInput {
  readonly payload?: PagePayload
  readonly postApplyChecksum?: bigint
}

export function encode(
  header: Header,
  pages: Iterable<readonly [number, Uint8Array]>,
  input: EncodeInput = {},
): Uint8Array {
  const chunks: Uint8Array[] = []
  const options = input.payload === undefined ? {} : { payload: input.payload }
  const encoder = new Encoder(header, (chunk) => chunks.push(chunk.slice()), options)
  for (const [pgno, data] of pages) encoder.writePage(pgno, data)
  encoder.finish(input.postApplyChecksum)
  return new Uint8Array(Buffer.concat(chunks))
}

export interface DecodedFile {
  header: Header
  pages: Map<number, Uint8Array>
  trailer: Trailer
}

/** Reads a whole file, given to the decoder in pieces of `chunkBytes`. */
export function decode(file: Uint8Array, chunkBytes: number = file.length): DecodedFile {
  const decoder = new Decoder()
  const pages = new Map<number, Uint8Array>()
  let at = 0
  for (;;) {
    const result = decoder.next()
    if (result === 'end') break
    if (result !== 'need-input') pages.set(result.pgno, copyOf(result))
    else if (at < file.length) decoder.push(file.subarray(at, (at += chunkBytes)))
    else decoder.end()
  }
  return { header: decoder.header!, pages, trailer: decoder.trailer! }
}

function copyOf(page: DecodedPage): Uint8Array {
  return page.data.slice()
}

/** Page numbers and hashes, which compare faster and more legibly than bytes. */
export function fingerprint(pages: Iterable<readonly [number, Uint8Array]>): [number, string][] {
  return [...pages].map(([pgno, data]) => [pgno, createHash('sha256').update(data).digest('hex')])
}

/** The code of the LTXError that a call ends in; anything else is rethrown, and no error is none. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call()
  } catch (error) {
    if (error instanceof LTXError) return error.code
    throw error
  }
  return undefined
}

export async function rejectedCodeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
  } catch (error) {
    if (error instanceof LTXError) return error.code
    throw error
  }
  return undefined
}

export function source(name: string, file: Uint8Array, chunkBytes = 64 * 1024): LTXSource {
  return { name, open: () => pieces(file, chunkBytes) }
}

export function* pieces(file: Uint8Array, chunkBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < file.length; at += chunkBytes) yield file.subarray(at, at + chunkBytes)
}

export function lz4Block(data: Uint8Array): Uint8Array {
  return new Uint8Array(lz4.compressSync(Buffer.from(data)).subarray(4))
}

/** A page frame put together by hand, from parts that need not fit each other. */
export interface RawFrame {
  readonly pgno: number
  readonly flags: number
  readonly payload: Uint8Array
  /** The page as it enters the file checksum. */
  readonly data: Uint8Array
  /** Length in front of a block payload, if it is to be wrong. */
  readonly statedSize?: number
}

export function rawBlockFrame(pgno: number, data: Uint8Array): RawFrame {
  return { pgno, flags: 1, payload: lz4Block(data), data }
}

export interface RawFile {
  readonly header: Header
  readonly frames: readonly RawFrame[]
  /** Changes an index entry, or drops it. */
  readonly index?: (entry: readonly [number, number, number], at: number) => readonly number[]
  readonly indexEnd?: Uint8Array
  readonly statedIndexSize?: bigint
  readonly postApplyChecksum?: bigint
  readonly after?: Uint8Array
}

/** Puts a file together without the encoder, whatever rule it breaks, with a correct file checksum. */
export function assemble(file: RawFile): Uint8Array {
  const parts: Uint8Array[] = []
  const crc = new CRC64()
  let offset = 0
  const add = (bytes: Uint8Array, hashed: Uint8Array = bytes): void => {
    parts.push(bytes)
    crc.update(hashed)
    offset += bytes.length
  }
  add(encodeHeader(file.header))
  const index: number[] = []
  file.frames.forEach((frame, at) => {
    const start = offset
    const head = frameHead(frame)
    add(Buffer.concat([head, frame.payload]), Buffer.concat([head, frame.data]))
    const entry = [frame.pgno, start, offset - start] as const
    index.push(...(file.index ?? ((same) => same))(entry, at))
  })
  add(new Uint8Array(6))
  const indexBytes = Buffer.concat([...index.map(uvarint), file.indexEnd ?? Uint8Array.of(0)])
  add(indexBytes)
  add(u64(file.statedIndexSize ?? BigInt(indexBytes.length)))
  add(u64(file.postApplyChecksum ?? 0n))
  parts.push(u64(crc.digest() | (1n << 63n)), file.after ?? new Uint8Array(0))
  return new Uint8Array(Buffer.concat(parts))
}

function frameHead(frame: RawFrame): Uint8Array {
  const head = Buffer.alloc((frame.flags & 1) === 1 ? 10 : 6)
  head.writeUInt32BE(frame.pgno, 0)
  head.writeUInt16BE(frame.flags, 4)
  if (head.length === 10) head.writeUInt32BE(frame.statedSize ?? frame.payload.length, 6)
  return head
}

/** The textbook form, one byte at a time. */
export function uvarint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

export function u64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
