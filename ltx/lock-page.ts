import { LOCK_BYTE_OFFSET } from './constants.ts'

/**
 * Number of the page that contains the byte which SQLite locks; no LTX file holds it, and a restored
 * database has zeros there (SQLite file format 1.6). `pageSize` is in bytes and legal.
 */
export function lockPgno(pageSize: number): number {
  return LOCK_BYTE_OFFSET / pageSize + 1
}
