import type { TXID } from '../../ltx/index.ts'
import type { LTXFileInfo } from '../../replica/index.ts'
import { furthest, LevelCursor } from './level-cursor.ts'

/** Lists the files of one level in ascending (minTXID, maxTXID). */
export type LevelLister = (level: number, options: { accurateTime: boolean }) => AsyncIterable<LTXFileInfo>

/** A run of files that continue each other, and where it ends. */
export interface Chain {
  files: LTXFileInfo[]
  /** TXID that the files lead to; where the walk started if there is none. */
  reached: TXID
  /** The lowest minTXID of files that start beyond `reached` + 1; undefined if there is none. */
  nextStart: TXID | undefined
}

/**
 * Follows files from position `from` as far as they lead, but not past `bound`.
 *
 * At each step the file that reaches furthest is taken. Files may overlap, so this reaches `bound` if any choice
 * does: whatever another chain of as many files has reached, this one has reached at least, and can take the other's
 * next file too. Never holds more than one file per level besides the result.
 */
export async function followChain(
  list: LevelLister,
  levels: readonly number[],
  from: TXID,
  bound: TXID | undefined,
): Promise<Chain> {
  const cursors = levels.map((level) => new LevelCursor(list(level, { accurateTime: false }), bound))
  const chain: Chain = { files: [], reached: from, nextStart: undefined }
  try {
    while (chain.reached !== bound) {
      let next: LTXFileInfo | undefined
      for (const cursor of cursors) {
        const candidate = await cursor.furthestFrom(chain.reached)
        if (candidate !== undefined) next = furthest(next, candidate)
      }
      if (next === undefined) break
      chain.files.push(next)
      chain.reached = next.maxTXID
    }
    chain.nextStart = lowestStart(cursors)
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()))
  }
  return chain
}

function lowestStart(cursors: readonly LevelCursor[]): TXID | undefined {
  let lowest: TXID | undefined
  for (const { beyond } of cursors) {
    if (beyond !== undefined && (lowest === undefined || beyond.minTXID < lowest)) lowest = beyond.minTXID
  }
  return lowest
}
