import { MAX_UINT64 } from './constants.ts'
import { LTXError } from './errors.ts'

/**
 * Number of a transaction in a replica, unsigned 64 bits. The first transaction is 1; 0 means none.
 */
export type TXID = bigint

const TEXT = /^[0-9a-fA-F]{16}$/

/**
 * Text form of a TXID: 16 lower-case hexadecimal digits (LTX v3, text forms).
 *
 * @throws LTXError `LTX_INVALID_TXID` for a value outside of 64 bits.
 */
export function formatTXID(txid: TXID): string {
  if (txid < 0n || txid > MAX_UINT64) throw new LTXError('LTX_INVALID_TXID', `txid out of range: ${txid}`)
  return txid.toString(16).padStart(16, '0')
}

/** The TXID that `text` spells: exactly 16 hexadecimal digits of either case; anything else is undefined. */
export function parseTXID(text: string): TXID | undefined {
  return TEXT.test(text) ? BigInt(`0x${text}`) : undefined
}
