import { formatTXID, parseTXID, type TXID } from './txid.ts'

/** A point in the history of a database: its last transaction, and the database checksum after it (0 when not tracked). */
export interface Pos {
  txid: TXID
  postApplyChecksum: bigint
}

/**
 * Text form of a position, `<txid>/<checksum>`, 33 characters (LTX v3, text forms).
 *
 * @throws LTXError `LTX_INVALID_TXID` for a value outside of 64 bits.
 */
export function formatPos(pos: Pos): string {
  // A checksum has the range and the text form of a TXID.
  return `${formatTXID(pos.txid)}/${formatTXID(pos.postApplyChecksum)}`
}

/** The position that `text` spells; undefined for any other text. */
export function parsePos(text: string): Pos | undefined {
  if (text[16] !== '/') return undefined
  const txid = parseTXID(text.slice(0, 16))
  const postApplyChecksum = parseTXID(text.slice(17))
  if (txid === undefined || postApplyChecksum === undefined) return undefined
  return { txid, postApplyChecksum }
}
