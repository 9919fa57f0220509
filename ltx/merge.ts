import { mergeDirect, type MergedPages, type MergeTarget } from './merge-direct.ts'
import { mergeToFile, type ChunkSink, type MergedFile } from './merge-encode.ts'
import type { MergeHeaderOptions } from './merge-header.ts'
import type { LTXSource } from './merge-input.ts'
import { reduceSources, type StageOptions } from './merge-stages.ts'
import type { PagePayload } from './page-frame.ts'

/** How a merge reads its inputs. */
export interface MergePagesOptions extends MergeHeaderOptions {
  /**
   * Inputs open at once, at least 2, default 32: within the connections that an object store client keeps, and
   * some 10 MB of buffers. More inputs than that are merged in stages.
   */
  readonly maxOpenInputs?: number
  /** Folder for the intermediate files of a merge in stages, on the same footing as the output. */
  readonly spillFolder?: string
  /** Memory for intermediate files before the folder is used, in bytes, default 16 MiB. */
  readonly spillMemoryBytes?: number
  readonly signal?: AbortSignal
}

/** How a merge reads its inputs and writes its output. */
export interface MergeOptions extends MergePagesOptions {
  /** Default `block`. */
  readonly payload?: PagePayload
}

const DEFAULT_MAX_OPEN_INPUTS = 32
const DEFAULT_SPILL_MEMORY_BYTES = 16 * 1024 * 1024

/**
 * Merges files that follow each other, oldest first, into one (LTX v3, compaction): of every page the newest,
 * none past the end of the database. Every input is read to its end and verified, and nothing is hidden: when
 * any is damaged, missing or out of line, the merge fails, and what the sink has been given is worthless. So
 * publish the output only once the promise has resolved.
 *
 * Header: first page size, TXID and checksum of the first input; commit, last TXID and time of the last.
 * Memory is bounded by `maxOpenInputs` and `spillMemoryBytes`, plus some two bytes per page. Inputs are opened
 * when their turn comes, and closed before the promise settles.
 *
 * @throws LTXError `LTX_NO_INPUT`, `LTX_PAGE_SIZE_MISMATCH`, `LTX_NOT_CONTIGUOUS`, `LTX_PRE_APPLY_MISMATCH`,
 * `LTX_SPILL_FOLDER_NEEDED`, `LTX_INCOMPLETE_SNAPSHOT`, and all of the decoder with `input` set; whatever
 * sources, sink and file system reject with; the reason of the signal.
 */
export async function mergeLTX(
  inputs: readonly LTXSource[],
  sink: ChunkSink,
  options: MergeOptions = {},
): Promise<MergedFile> {
  const reduced = await reduceSources(inputs, stageOptions(options))
  try {
    return await mergeToFile(reduced.sources, sink, options)
  } finally {
    await reduced[Symbol.asyncDispose]()
  }
}

/**
 * As `mergeLTX`, with the pages themselves instead of a file, so that a restore need not compress and
 * decompress them once more. They come in order, each once; the lock page never comes. They are good only once the
 * promise has resolved.
 *
 * @throws as `mergeLTX`; whatever the target throws.
 */
export async function mergePages(
  inputs: readonly LTXSource[],
  target: MergeTarget,
  options: MergePagesOptions = {},
): Promise<MergedPages> {
  const reduced = await reduceSources(inputs, stageOptions(options))
  try {
    return await mergeDirect(reduced.sources, target, options)
  } finally {
    await reduced[Symbol.asyncDispose]()
  }
}

function stageOptions(options: MergeOptions): StageOptions {
  return {
    ...options,
    maxOpenInputs: Math.max(2, options.maxOpenInputs ?? DEFAULT_MAX_OPEN_INPUTS),
    spillFolder: options.spillFolder,
    spillMemoryBytes: options.spillMemoryBytes ?? DEFAULT_SPILL_MEMORY_BYTES,
  }
}
