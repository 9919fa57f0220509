import { readFileSync } from 'node:fs'

/** What a vector's JSON says of its WAL; integers of 32 bits are hex text. */
export interface WALVector {
  name: string
  wal: Uint8Array
  expected: {
    valid: boolean
    reason?: string
    bigEndianChecksum: boolean
    pageSize: number
    checkpointSeq: number
    salt1: string
    salt2: string
    frameSize: number
    frames: { offset: number; pgno: number; commit: number; checksum: [string, string]; dataSha256: string }[]
    stop: string
    validEnd: number
    committedEnd: number
    commit: number
    pageMap: Record<string, number>
    frameSalts: [string, string][]
  }
}

const folder = new URL('../../fixtures/wal/', import.meta.url)

export function walVector(name: string): WALVector {
  const wal = new Uint8Array(readFileSync(new URL(`${name}.wal`, folder)))
  const expected = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as WALVector['expected']
  return { name, wal, expected }
}

export const validVectorNames: readonly string[] = [
  'ok',
  'ok-bigendian',
  'salt-mismatch',
  'frame-checksum-mismatch',
  'frame-salts',
  'vacuum-shrink-512',
  'uncommitted-tail-512',
  'partial-tail-512',
  'header-only',
]

export function hex32(value: number): string {
  return value.toString(16).padStart(8, '0')
}
