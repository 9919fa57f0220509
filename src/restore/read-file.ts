import type { LTXFileInfo, ReplicaClient } from '../../replica/index.ts'
import type { Clock } from '../clock.ts'
import { RestoreError } from './errors.ts'
import { ltxFileText } from './ltx-file-text.ts'

const MAX_TRIES_WITHOUT_PROGRESS = 3
const FIRST_BACKOFF_MS = 250

/** A file that was listed is not there any more: retention or compaction deleted it. A new plan finds another way. */
export class FileGone extends Error {
  override readonly name = 'FileGone'
  readonly file: LTXFileInfo

  constructor(file: LTXFileInfo) {
    super(`planned file is gone: ${ltxFileText(file)}`)
    this.file = file
  }
}

/** What reading needs besides the file. */
export interface ReadContext {
  client: ReplicaClient
  clock: Clock
  signal?: AbortSignal
}

/**
 * Streams a file of the replica to its listed size. An error or an early end is tried again from the byte reached,
 * after 250, 500 and 1000 ms, and up to three times without progress. Chunks belong to the consumer.
 *
 * Throws {@link FileGone}, `RestoreError` with `RESTORE_READ_FAILED`, the signal's reason, or at once the client's
 * error where that says it cannot pass.
 */
export async function* readLTXFile(
  file: LTXFileInfo,
  context: ReadContext,
): AsyncGenerator<Uint8Array, void, void> {
  let offset = 0
  let failures = 0
  for (;;) {
    let failure: unknown
    try {
      const chunks = await context.client.openLTXFile(file, openOptions(offset, context.signal))
      if (chunks === undefined) throw new FileGone(file)
      for await (const chunk of chunks) {
        context.signal?.throwIfAborted()
        offset += chunk.length
        if (chunk.length > 0) failures = 0
        yield chunk
      }
      if (offset >= file.sizeBytes) return
    } catch (error) {
      if (isFinal(error, context.signal)) throw error
      failure = error
    }
    if (failures === MAX_TRIES_WITHOUT_PROGRESS) throw giveUp(file, offset, failure)
    await context.clock.sleep(FIRST_BACKOFF_MS * 2 ** failures, context.signal)
    failures++
  }
}

function openOptions(
  offset: number,
  signal: AbortSignal | undefined,
): { offset?: number; signal?: AbortSignal } {
  return { ...(offset === 0 ? {} : { offset }), ...(signal === undefined ? {} : { signal }) }
}

function isFinal(error: unknown, signal: AbortSignal | undefined): boolean {
  if (error instanceof FileGone || signal?.aborted === true) return true
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false
}

function giveUp(file: LTXFileInfo, offset: number, cause: unknown): RestoreError {
  const why = cause instanceof Error ? cause.message : `the file ends before its ${file.sizeBytes} bytes`
  return new RestoreError(
    'RESTORE_READ_FAILED',
    `reading failed at byte ${offset} of ${ltxFileText(file)}: ${why}`,
    { cause, path: ltxFileText(file) },
  )
}
