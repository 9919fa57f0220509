import type { TXID } from '../../ltx/index.ts'
import type { LevelLister } from './chain.ts'

/** What the listings of a whole replica say, read once and not kept. */
export interface Survey {
  fileCount: number
  /** Highest maxTXID of all files; 0n if there is none. */
  newestTXID: TXID
  /** Highest maxTXID of files whose time is not after the one asked about; 0n if there is none. */
  newestTXIDAtTime: TXID
  /** Oldest and newest file time, in ms since the epoch; `Infinity` and `-Infinity` without files. */
  oldestMs: number
  newestMs: number
}

/** Lists `levels` of a replica once. `atMs` asks for the newest TXID at that time, inclusive, and for exact times. */
export async function surveyReplica(
  list: LevelLister,
  levels: readonly number[],
  atMs?: number,
): Promise<Survey> {
  const survey: Survey = {
    fileCount: 0,
    newestTXID: 0n,
    newestTXIDAtTime: 0n,
    oldestMs: Number.POSITIVE_INFINITY,
    newestMs: Number.NEGATIVE_INFINITY,
  }
  for (const level of levels) {
    for await (const { maxTXID, createdAtMs } of list(level, { accurateTime: atMs !== undefined })) {
      survey.fileCount++
      survey.oldestMs = Math.min(survey.oldestMs, createdAtMs)
      survey.newestMs = Math.max(survey.newestMs, createdAtMs)
      if (maxTXID > survey.newestTXID) survey.newestTXID = maxTXID
      const then = atMs === undefined || createdAtMs <= atMs
      if (then && maxTXID > survey.newestTXIDAtTime) survey.newestTXIDAtTime = maxTXID
    }
  }
  return survey
}
