import type { TXID } from '../../ltx/index.ts'
import { parseTXID } from '../../ltx/index.ts'
import { nearestName } from '../nearest-name.ts'
import { usageError } from './errors.ts'

/** The TXID of a flag: 16 hexadecimal digits, from 1. Throws CLI_USAGE. */
export function parseTXIDFlag(text: string): TXID {
  const txid = parseTXID(text)
  if (txid === undefined) {
    throw usageError(`not a TXID: ${text}`, '16 hexadecimal digits, as replicate ltx prints them')
  }
  if (txid === 0n) throw usageError(`TXIDs start at 1: ${text}`)
  return txid
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** The instant of a flag in ms since the epoch: RFC 3339, a finer fraction than ms is cut off. Throws CLI_USAGE. */
export function parseTimestampFlag(text: string): number {
  const timestampMs = parseRFC3339(text)
  if (timestampMs !== undefined) return timestampMs
  throw usageError(
    `not an RFC 3339 timestamp: ${text}`,
    `a date, a time and an offset, such as ${exampleTime()}`,
  )
}

function exampleTime(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`
}

function parseRFC3339(text: string): number | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const field = (index: number): number => Number(match[index] ?? 0)
  const wholeMs = Date.UTC(field(1), field(2) - 1, field(3), field(4), field(5), field(6))
  const fields = `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}`
  // The 31st of June and 24 o'clock become other days silently.
  if (!new Date(wholeMs).toISOString().startsWith(fields)) return undefined
  if (field(9) > 23 || field(10) > 59) return undefined
  const offsetMs = (field(9) * 60 + field(10)) * 60_000 * (match[8] === '-' ? -1 : 1)
  return wholeMs + Number((match[7] ?? '').padEnd(3, '0').slice(0, 3)) - offsetMs
}

/** A flag that is one of a few words. Throws CLI_USAGE with the nearest one. */
export function parseChoiceFlag<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  const near = nearestName(text, choices)
  throw usageError(
    `not one of ${choices.join(', ')}: -${flag} ${text}`,
    near === undefined ? undefined : `-${flag} ${near}`,
  )
}

/** A flag that is a whole number between two bounds. Throws CLI_USAGE. */
export function parseNumberFlag(flag: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw usageError(`not a whole number from ${min} to ${max}: -${flag} ${text}`)
}
