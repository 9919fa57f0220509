import { HEADER_FLAG_NO_CHECKSUM } from './constants.ts'
import { LTXError } from './errors.ts'
import { createHeader, hasChecksums, type Header } from './header.ts'
import { formatTXID, type TXID } from './txid.ts'

/** What a merge writes into its header, besides what the inputs say. */
export interface MergeHeaderOptions {
  /** Header flags of the output. Default: no checksums, as Litestream writes. 0 needs inputs with checksums. */
  readonly flags?: number
  /**
   * Carry over the WAL offset, size and salts of the last input, which a merge otherwise leaves out: for level-0
   * files that a replicator goes on from. Default false.
   */
  readonly keepWALFields?: boolean
  /** Let gaps between the inputs pass: for repair. Default false. */
  readonly allowGaps?: boolean
}

/** An input as far as the header of the output depends on it. */
export interface NamedHeader {
  readonly name: string
  readonly header: Header
}

/** True when a file from `min` to `max` can follow one up to `previousMax`: overlap may be, a gap may not (LTX v3, compaction). */
export function isContiguous(previousMax: TXID, min: TXID, max: TXID): boolean {
  return min <= previousMax + 1n && max > previousMax
}

/**
 * The header of the merge of `inputs`, oldest first (LTX v3, compaction).
 *
 * @throws LTXError `LTX_NO_INPUT`, `LTX_PAGE_SIZE_MISMATCH`, `LTX_NOT_CONTIGUOUS`.
 */
export function mergedHeader(inputs: readonly NamedHeader[], options: MergeHeaderOptions): Header {
  const first = inputs[0]
  const last = inputs.at(-1)
  if (first === undefined || last === undefined) throw new LTXError('LTX_NO_INPUT', 'nothing to merge')
  for (let at = 1; at < inputs.length; at++) checkPair(inputs[at - 1]!, inputs[at]!, options)
  const { pageSize, minTXID } = first.header
  const { commit, maxTXID, timestampMs, walOffset, walSize, walSalt1, walSalt2 } = last.header
  const header = createHeader({ pageSize, commit, minTXID, maxTXID, timestampMs })
  header.flags = options.flags ?? HEADER_FLAG_NO_CHECKSUM
  if (hasChecksums(header)) header.preApplyChecksum = first.header.preApplyChecksum
  if (options.keepWALFields === true) Object.assign(header, { walOffset, walSize, walSalt1, walSalt2 })
  return header
}

function checkPair(previous: NamedHeader, next: NamedHeader, options: MergeHeaderOptions): void {
  if (next.header.pageSize !== previous.header.pageSize) {
    const message = `${next.name}: page size ${next.header.pageSize} follows ${previous.header.pageSize}`
    throw new LTXError('LTX_PAGE_SIZE_MISMATCH', message, { input: next.name })
  }
  const { maxTXID: previousMax } = previous.header
  const { minTXID, maxTXID } = next.header
  if (options.allowGaps !== true && !isContiguous(previousMax, minTXID, maxTXID)) {
    const range = `${formatTXID(minTXID)}-${formatTXID(maxTXID)}`
    const message = `${next.name}: ${range} does not continue ${previous.name}, which ends at ${formatTXID(previousMax)}`
    throw new LTXError('LTX_NOT_CONTIGUOUS', message, { input: next.name })
  }
}
