import { LTXError } from './errors.ts'
import { hasChecksums, type Header } from './header.ts'
import { mergedHeader, type MergeHeaderOptions } from './merge-header.ts'
import { MergeInput, NO_PAGE, type LTXSource } from './merge-input.ts'
import { PageOrder } from './page-order.ts'

/** Where the pages of a merge go. A promise that is returned is waited for. */
export interface MergeTarget {
  /** Called once, before the first page. */
  header(header: Header): void | Promise<void>
  /** Called for each page, ascending. `page.data` is valid until the call has returned and its promise resolved. */
  page(page: MergedPage): void | Promise<void>
}

/** A page that won. */
export interface MergedPage {
  readonly pgno: number
  readonly data: Uint8Array
  /** The LZ4 block that it came in, if it was a single one. */
  readonly block: Uint8Array | undefined
}

/** Options of {@link mergeDirect}. */
export interface DirectMergeOptions extends MergeHeaderOptions {
  readonly signal?: AbortSignal
}

/** What a merge was once all inputs have been read and verified. */
export interface MergedPages {
  readonly header: Header
  /** That of the last input, 0 where it has none. */
  readonly postApplyChecksum: bigint
  /** Number of pages. */
  readonly pages: number
}

/**
 * Merges `sources`, oldest first, all of them open at once: for every page number the newest input's page.
 *
 * Pages come out before the inputs are verified; only when the promise has resolved are they good.
 */
export async function mergeDirect(
  sources: readonly LTXSource[],
  target: MergeTarget,
  options: DirectMergeOptions,
): Promise<MergedPages> {
  const inputs = await openAll(sources, options.signal)
  try {
    const header = mergedHeader(inputs, options)
    await target.header(header)
    const pages = await mergePagesOf(inputs, header, target, options.signal)
    checkChain(inputs)
    return { header, pages, postApplyChecksum: inputs.at(-1)!.trailer!.postApplyChecksum }
  } finally {
    for (const input of inputs) input.close()
  }
}

async function openAll(
  sources: readonly LTXSource[],
  signal: AbortSignal | undefined,
): Promise<MergeInput[]> {
  signal?.throwIfAborted()
  const results = await Promise.allSettled(sources.map((source) => MergeInput.open(source, signal)))
  const failed = results.find((result) => result.status === 'rejected')
  const inputs = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (failed === undefined) return inputs
  for (const input of inputs) input.close()
  throw failed.reason
}

async function mergePagesOf(
  inputs: readonly MergeInput[],
  header: Header,
  target: MergeTarget,
  signal: AbortSignal | undefined,
): Promise<number> {
  const order = new PageOrder(header)
  const limits = pageLimits(inputs)
  let pages = 0
  for (;;) {
    const winner = lowestAndNewest(inputs)
    const { pgno } = inputs[winner]!
    if (pgno === NO_PAGE) break
    if (pgno <= limits[winner]!) {
      order.accept(pgno)
      pages++
      const { data, block } = inputs[winner]!
      const waiting = target.page({ pgno, data, block })
      if (waiting !== undefined) {
        await waiting
        signal?.throwIfAborted()
      }
    }
    for (const input of inputs) {
      if (input.pgno !== pgno) continue
      // One await per chunk, none per page.
      while (!input.advance()) await input.fill()
    }
  }
  order.finish()
  return pages
}

/**
 * For each input the last page that outlives all later ones: what a later input cut off does not come back
 * when a still later one grows the database again.
 */
function pageLimits(inputs: readonly MergeInput[]): number[] {
  const limits: number[] = []
  let limit = Number.POSITIVE_INFINITY
  for (const input of inputs.toReversed()) {
    limit = Math.min(limit, input.header.commit)
    limits.unshift(limit)
  }
  return limits
}

// A scan, not a heap: there are few inputs, and comparing them all costs nothing beside a page's checksum.
function lowestAndNewest(inputs: readonly MergeInput[]): number {
  let winner = inputs.length - 1
  for (let at = winner - 1; at >= 0; at--) {
    if (inputs[at]!.pgno < inputs[winner]!.pgno) winner = at
  }
  return winner
}

/** Where both sides say so, a file must start from the database that the one before it left. */
function checkChain(inputs: readonly MergeInput[]): void {
  for (let at = 1; at < inputs.length; at++) {
    const previous = inputs[at - 1]!
    const next = inputs[at]!
    const adjoining = next.header.minTXID === previous.header.maxTXID + 1n
    if (!adjoining || !hasChecksums(previous.header) || !hasChecksums(next.header)) continue
    const left = previous.trailer!.postApplyChecksum
    if (next.header.preApplyChecksum !== left) {
      const message = `${next.name}: starts from checksum ${next.header.preApplyChecksum.toString(16)}, ${previous.name} leaves ${left.toString(16)}`
      throw new LTXError('LTX_PRE_APPLY_MISMATCH', message, { input: next.name })
    }
  }
}
