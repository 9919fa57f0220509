import type { TXID } from '../../ltx/index.ts'
import type { LTXFileInfo, ReplicaClient } from '../../replica/index.ts'
import { MAX_LEVEL } from '../../replica/index.ts'

/** A span of TXIDs, both ends included. */
export interface TXIDSpan {
  readonly minTXID: TXID
  readonly maxTXID: TXID
}

/** Which transactions a replica holds, on whatever level. */
export interface ReplicaCoverage {
  /** Highest TXID of any file; 0 for an empty replica. */
  readonly highestTXID: TXID
  /** The file that reaches furthest; a level-0 one, which tells where in the WAL it ended, before others. */
  readonly newest: LTXFileInfo | undefined
  /** What files that join hold, in order; a gap lies between each two. */
  readonly spans: readonly TXIDSpan[]
  /** True when a file, or files that join, hold all of `span`. */
  covers(span: TXIDSpan): boolean
}

/** Lists a replica, every level once. Errors are the client's. */
export async function readCoverage(client: ReplicaClient, signal?: AbortSignal): Promise<ReplicaCoverage> {
  const spans: TXIDSpan[] = []
  let newest: LTXFileInfo | undefined
  const options = signal === undefined ? {} : { signal }
  for (let level = 0; level <= MAX_LEVEL; level++) {
    for await (const file of client.ltxFiles(level, options)) {
      addSpan(spans, file)
      if (newest === undefined || file.maxTXID > newest.maxTXID) newest = file
    }
  }
  const joined = joinSpans(spans)
  return {
    highestTXID: joined.at(-1)?.maxTXID ?? 0n,
    newest,
    spans: joined,
    covers: (span) => joined.some((known) => known.minTXID <= span.minTXID && span.maxTXID <= known.maxTXID),
  }
}

/** Files of a level come in order and mostly join: then a level of any length is one span. */
function addSpan(spans: TXIDSpan[], { minTXID, maxTXID }: TXIDSpan): void {
  const last = spans.at(-1)
  if (last !== undefined && last.minTXID <= minTXID && minTXID <= last.maxTXID + 1n) {
    spans[spans.length - 1] = {
      minTXID: last.minTXID,
      maxTXID: maxTXID > last.maxTXID ? maxTXID : last.maxTXID,
    }
  } else {
    spans.push({ minTXID, maxTXID })
  }
}

function joinSpans(spans: readonly TXIDSpan[]): TXIDSpan[] {
  const joined: TXIDSpan[] = []
  const ordered = [...spans].sort((a, b) => (a.minTXID < b.minTXID ? -1 : a.minTXID > b.minTXID ? 1 : 0))
  for (const span of ordered) addSpan(joined, span)
  return joined
}
