import { formatTXID, type TXID } from '../../ltx/index.ts'
import { MAX_LEVEL, SNAPSHOT_LEVEL, type LTXFileInfo } from '../../replica/index.ts'
import { followChain, type Chain, type LevelLister } from './chain.ts'
import { RestoreError } from './errors.ts'
import { surveyReplica, type Survey } from './survey.ts'

/** The state to restore: that of a TXID, that of a time, or without either the newest. */
export interface RestoreTarget {
  txid?: TXID
  /** In ms since the epoch, inclusive: what was captured at that very millisecond belongs to it. */
  timestampMs?: number
}

/** Which files to apply, in their order, to come to a state. */
export interface RestorePlan {
  files: readonly LTXFileInfo[]
  minTXID: TXID
  /** The state that the plan leads to. */
  maxTXID: TXID
  /** What has to be read, in bytes. */
  sizeBytes: number
  /** The time asked for is after the newest file, so that the newest state is what it gives. */
  beyondNewest: boolean
}

/** Circumstances of a plan. */
export interface PlanOptions {
  /** The time now, in ms since the epoch: a later target is refused. */
  nowMs: number
  /** State that is there already, so that the plan continues from it. */
  from?: TXID
}

const ALL_LEVELS: readonly number[] = Array.from({ length: MAX_LEVEL + 1 }, (_, i) => MAX_LEVEL - i)
const CHANGE_LEVELS: readonly number[] = ALL_LEVELS.filter((level) => level !== SNAPSHOT_LEVEL)

/**
 * Chooses the files that lead to a state: the newest usable snapshot, then at each step the file that reaches
 * furthest. Finds a chain exactly if there is one, whatever files overlap, repeat or are missing. Reads listings
 * only, each once or a few times, and keeps none of them.
 *
 * A time stands for the highest TXID whose file is not younger; from there on only TXIDs count, so that a clock that
 * was set back cannot tear the chain. Never gives an older state than asked for.
 *
 * Throws `RestoreError`: `RESTORE_CONFLICTING_TARGET`, `RESTORE_NO_BACKUPS`, `RESTORE_TXID_NOT_AVAILABLE`,
 * `RESTORE_TIME_OUT_OF_RANGE`, `RESTORE_GAP`. Listings that change meanwhile may show a gap that is none: plan again.
 */
export async function planRestore(
  list: LevelLister,
  target: RestoreTarget,
  options: PlanOptions,
): Promise<RestorePlan> {
  if (target.txid !== undefined && target.timestampMs !== undefined) {
    throw new RestoreError('RESTORE_CONFLICTING_TARGET', 'both a txid and a time to restore were given', {
      hint: 'give one of them',
    })
  }
  const { txid, beyondNewest } = await resolveTarget(list, target, options.nowMs)
  const chain = await findChain(list, txid, options.from ?? 0n)
  if (txid === undefined ? chain.nextStart !== undefined || chain.reached === 0n : chain.reached !== txid) {
    throw await explainFailure(list, txid, chain)
  }
  return {
    files: chain.files,
    minTXID: chain.files[0]?.minTXID ?? chain.reached,
    maxTXID: chain.reached,
    sizeBytes: chain.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    beyondNewest,
  }
}

async function resolveTarget(
  list: LevelLister,
  target: RestoreTarget,
  nowMs: number,
): Promise<{ txid: TXID | undefined; beyondNewest: boolean }> {
  const { txid, timestampMs } = target
  if (timestampMs === undefined) return { txid, beyondNewest: false }
  const survey = await surveyReplica(list, ALL_LEVELS, timestampMs)
  if (survey.fileCount === 0) throw noBackups()
  if (timestampMs > Math.max(nowMs, survey.newestMs))
    throw outOfRange(timestampMs, 'is in the future', survey)
  if (!(timestampMs >= survey.oldestMs)) throw outOfRange(timestampMs, 'is before the oldest backup', survey)
  return { txid: survey.newestTXIDAtTime, beyondNewest: timestampMs > survey.newestMs }
}

async function findChain(list: LevelLister, txid: TXID | undefined, from: TXID): Promise<Chain> {
  const snapshot = from === 0n ? await newestSnapshot(list, txid) : undefined
  const chain = await followChain(list, CHANGE_LEVELS, snapshot?.maxTXID ?? from, txid)
  if (snapshot !== undefined) chain.files.unshift(snapshot)
  const complete =
    txid === undefined ? chain.nextStart === undefined && chain.reached > 0n : chain.reached === txid
  // Continuing a restore may need a whole snapshot where the files in between were deleted.
  return complete ? chain : await followChain(list, ALL_LEVELS, from, txid)
}

async function newestSnapshot(list: LevelLister, bound: TXID | undefined): Promise<LTXFileInfo | undefined> {
  let newest: LTXFileInfo | undefined
  for await (const file of list(SNAPSHOT_LEVEL, { accurateTime: false })) {
    const usable = file.minTXID === 1n && (bound === undefined || file.maxTXID <= bound)
    if (usable && (newest === undefined || file.maxTXID > newest.maxTXID)) newest = file
  }
  return newest
}

async function explainFailure(
  list: LevelLister,
  txid: TXID | undefined,
  found: Chain,
): Promise<RestoreError> {
  const survey = await surveyReplica(list, ALL_LEVELS)
  if (survey.fileCount === 0) return noBackups()
  if (txid !== undefined && txid > survey.newestTXID) {
    return notAvailable(txid, `the newest in the replica is ${formatTXID(survey.newestTXID)}`)
  }
  const free = txid === undefined ? found : await followChain(list, ALL_LEVELS, 0n, undefined)
  if (txid !== undefined && free.reached >= txid) {
    return found.reached === 0n
      ? notAvailable(txid, 'no snapshot that old is left')
      : notAvailable(
          txid,
          `it was compacted into a larger file; the one before is ${formatTXID(found.reached)}`,
        )
  }
  const next =
    free.nextStart === undefined ? 'nothing follows' : `the next file starts at ${formatTXID(free.nextStart)}`
  return new RestoreError(
    'RESTORE_GAP',
    `non-contiguous ltx files: have up to ${formatTXID(free.reached)}, ${next}`,
    {
      hint:
        free.reached === 0n
          ? 'the snapshot that these files continue is missing from the replica'
          : `the state before the gap can be restored with its txid, ${formatTXID(free.reached)}`,
    },
  )
}

function notAvailable(txid: TXID, why: string): RestoreError {
  return new RestoreError('RESTORE_TXID_NOT_AVAILABLE', `transaction not available: ${formatTXID(txid)}`, {
    hint: why,
  })
}

function noBackups(): RestoreError {
  return new RestoreError('RESTORE_NO_BACKUPS', 'no backups found: the replica is empty', {
    hint: 'check the url of the replica and its path',
  })
}

function outOfRange(timestampMs: number, why: string, survey: Survey): RestoreError {
  return new RestoreError('RESTORE_TIME_OUT_OF_RANGE', `time to restore ${why}: ${timeText(timestampMs)}`, {
    hint: `backups reach from ${timeText(survey.oldestMs)} to ${timeText(survey.newestMs)}`,
  })
}

function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}
