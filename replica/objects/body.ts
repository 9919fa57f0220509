import { open } from 'node:fs/promises'
import { ObjectStoreError } from './errors.ts'
import type { FileBody, PutBody } from './object-store.ts'

const CHUNK_BYTES = 256 * 1024

/** True for a body that is a finished file. */
export function isFileBody(body: PutBody): body is FileBody {
  return !(body instanceof Uint8Array) && !(Symbol.asyncIterator in body)
}

function unreadable(body: FileBody, cause: unknown): ObjectStoreError {
  return new ObjectStoreError('OBJECT_BAD_BODY', `cannot read the body file ${body.path}`, {
    path: body.path,
    cause,
  })
}

async function* fileChunks(body: FileBody): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(body.path, 'r').catch((cause: unknown) => {
    throw unreadable(body, cause)
  })
  try {
    let sizeBytes = 0
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, sizeBytes).catch((cause: unknown) => {
        throw unreadable(body, cause)
      })
      if (bytesRead === 0) break
      sizeBytes += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    if (sizeBytes !== body.sizeBytes) {
      const message = `body file ${body.path} has ${sizeBytes} bytes, not ${body.sizeBytes}`
      throw new ObjectStoreError('OBJECT_BAD_BODY', message, { path: body.path })
    }
  } finally {
    await handle.close()
  }
}

// Raced against every wait: a source that never answers must not hold a caller who has given up.
function rejectOnAbort(signal: AbortSignal, listening: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: listening })
  })
  aborted.catch(() => {})
  return aborted
}

/** The same chunks, until `signal` aborts: then its reason is thrown at once, even while the source is silent. */
export async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = chunks[Symbol.asyncIterator]()
  const listening = new AbortController()
  const aborted = rejectOnAbort(signal, listening.signal)
  let isDone = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const step = await Promise.race([source.next(), aborted])
      if (step.done) {
        isDone = true
        return
      }
      yield step.value
    }
  } finally {
    listening.abort()
    // Not awaited: a generator answers return() only after the next() that hangs.
    if (!isDone) void Promise.resolve(source.return?.()).catch(() => {})
  }
}

/** The bytes of any body as chunks, each valid until the next is asked for. */
export async function* bodyChunks(
  body: PutBody,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length; at += CHUNK_BYTES) {
      signal?.throwIfAborted()
      yield body.subarray(at, at + CHUNK_BYTES)
    }
    return
  }
  const chunks = isFileBody(body) ? fileChunks(body) : body
  yield* signal === undefined ? chunks : untilAborted(chunks, signal)
}
