import type { TXID } from '../../ltx/index.ts'
import type { ReplicaCoverage, TXIDSpan } from './replica-coverage.ts'

/** What a replica lacks and local files can give it. */
export interface Shipment<File extends TXIDSpan> {
  /** Files to ship, in this order: those that fill holes, then those that continue the chain. */
  readonly files: readonly File[]
  /** Everything up to here is in the replica now, and a restore can reach it. */
  readonly replicatedTXID: TXID
  /** Everything up to here will be once the files are shipped. */
  readonly reachableTXID: TXID
}

/**
 * Finds the local files that a replica needs for a chain without a gap, from its beginning as far as it goes. Files
 * that lie beyond a gap which nothing fills are left out: nobody could restore them.
 */
export function filesToShip<File extends TXIDSpan>(
  local: readonly File[],
  { spans }: ReplicaCoverage,
): Shipment<File> {
  const files: File[] = []
  let replicatedTXID: TXID | undefined
  let reached: TXID = 0n
  for (;;) {
    const known = furthest(spans, reached)
    if (known !== undefined) {
      reached = known.maxTXID
      continue
    }
    const file = furthest(local, reached)
    if (file === undefined)
      return { files, replicatedTXID: replicatedTXID ?? reached, reachableTXID: reached }
    replicatedTXID ??= reached
    files.push(file)
    reached = file.maxTXID
  }
}

/** The span that continues `reached` and takes it furthest. */
function furthest<Span extends TXIDSpan>(spans: readonly Span[], reached: TXID): Span | undefined {
  let best: Span | undefined
  for (const span of spans) {
    if (span.minTXID > reached + 1n || span.maxTXID <= reached) continue
    if (best === undefined || span.maxTXID > best.maxTXID) best = span
  }
  return best
}
