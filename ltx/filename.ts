import { LTXError } from './errors.ts'
import { formatTXID, parseTXID, type TXID } from './txid.ts'

/** The TXIDs that the name of an LTX file promises; `minTXID` is at least 1 and not above `maxTXID`. */
export interface LTXFileName {
  minTXID: TXID
  maxTXID: TXID
}

const NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/

/**
 * Name of the file that holds the transactions from `min` to `max`: `<min>-<max>.ltx` (LTX v3, text forms).
 *
 * @throws LTXError `LTX_INVALID_TXID` when the range is empty, starts at 0 or leaves 64 bits.
 */
export function formatLTXFileName(min: TXID, max: TXID): string {
  if (min < 1n || min > max) {
    throw new LTXError('LTX_INVALID_TXID', `txid range is no range: ${min} to ${max}`)
  }
  return `${formatTXID(min)}-${formatTXID(max)}.ltx`
}

/** The TXIDs in a file name; undefined for a name that no LTX file has (upper case, an impossible range, a path). */
export function parseLTXFileName(name: string): LTXFileName | undefined {
  const [, min, max] = NAME.exec(name) ?? []
  if (min === undefined || max === undefined) return undefined
  const minTXID = parseTXID(min)
  const maxTXID = parseTXID(max)
  if (minTXID === undefined || maxTXID === undefined || minTXID === 0n || minTXID > maxTXID) return undefined
  return { minTXID, maxTXID }
}
