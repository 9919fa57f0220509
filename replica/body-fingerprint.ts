import { open, type FileHandle } from 'node:fs/promises'
import { HEADER_BYTES, TRAILER_BYTES } from '../ltx/index.ts'
import { isFileBody, untilAborted } from './objects/body.ts'
import type { FileBody, PutBody } from './objects/object-store.ts'

/** What tells two LTX files apart without reading them: size, header, and the trailer with its checksum of the rest. */
export interface Fingerprint {
  readonly sizeBytes: number
  readonly head: Uint8Array
  readonly tail: Uint8Array
}

/** The parts of a file of `sizeBytes` that its fingerprint is made of, as ranges. */
export function fingerprintRanges(sizeBytes: number): {
  head: { offset: number; lengthBytes: number }
  tail: { offset: number; lengthBytes: number }
} {
  const tailBytes = Math.min(TRAILER_BYTES, sizeBytes)
  return {
    head: { offset: 0, lengthBytes: HEADER_BYTES },
    tail: { offset: sizeBytes - tailBytes, lengthBytes: tailBytes },
  }
}

/** True when two files are the same. */
export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return (
    a.sizeBytes === b.sizeBytes &&
    Buffer.compare(a.head, b.head) === 0 &&
    Buffer.compare(a.tail, b.tail) === 0
  )
}

/** A stream that remembers the fingerprint of what went through it, and can be read on after its reader gave up. */
export class RecordedStream implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>
  #head: Uint8Array = Buffer.alloc(0)
  #tail: Uint8Array = Buffer.alloc(0)
  #sizeBytes = 0
  #isDone = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  // No return(): the reader who leaves does not end the source, `close` does.
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#next() }
  }

  /** The fingerprint of the whole stream: reads what is left of it. */
  async fingerprint(signal: AbortSignal | undefined): Promise<Fingerprint> {
    const rest = signal === undefined ? this : untilAborted(this, signal)
    for await (const chunk of rest) void chunk
    return { sizeBytes: this.#sizeBytes, head: this.#head, tail: this.#tail }
  }

  /** Ends the source if it was not read to its end. Does not wait for a source that hangs. */
  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    void Promise.resolve(this.#source.return?.()).catch(() => {})
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const step = this.#isDone ? undefined : await this.#source.next()
    if (step === undefined || step.done === true) {
      this.#isDone = true
      return { done: true, value: undefined }
    }
    this.#record(step.value)
    return { done: false, value: step.value }
  }

  #record(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.length
    const missing = HEADER_BYTES - this.#head.length
    if (missing > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)])
    const tail = Buffer.concat([this.#tail, chunk.subarray(-TRAILER_BYTES)])
    this.#tail = tail.subarray(-TRAILER_BYTES)
  }
}

async function readAt(handle: FileHandle, offset: number, lengthBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(lengthBytes)
  const { bytesRead } = await handle.read(buffer, 0, lengthBytes, offset)
  return buffer.subarray(0, bytesRead)
}

async function fingerprintOfFile(body: FileBody): Promise<Fingerprint> {
  const handle = await open(body.path, 'r')
  try {
    const { head, tail } = fingerprintRanges(body.sizeBytes)
    return {
      sizeBytes: body.sizeBytes,
      head: await readAt(handle, head.offset, head.lengthBytes),
      tail: await readAt(handle, tail.offset, tail.lengthBytes),
    }
  } finally {
    await handle.close()
  }
}

/** The fingerprint of a body that can be read again. */
export async function fingerprintOf(body: Exclude<PutBody, AsyncIterable<Uint8Array>>): Promise<Fingerprint> {
  if (isFileBody(body)) return fingerprintOfFile(body)
  const { head, tail } = fingerprintRanges(body.length)
  return {
    sizeBytes: body.length,
    head: body.subarray(0, head.lengthBytes),
    tail: body.subarray(tail.offset),
  }
}
