import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { createHeader, Encoder, formatLTXFileName, lockPgno } from '../../../ltx/index.ts'
import { openReplica, type LTXFileInfo, type ReplicaClient } from '../../../replica/index.ts'

/** A temporary folder that goes with the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'restore-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** All that a folder holds, by name, so that leftovers show. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder).sort()
}

/** One LTX file to make: its place in the chain, and its pages in ascending order. */
export interface SyntheticFile {
  level?: number
  min: number
  max: number
  pageSize: number
  commit: number
  pages: Iterable<readonly [pgno: number, data: Uint8Array]>
  timestampMs?: number
}

export function encodeFile(file: SyntheticFile): Uint8Array {
  const chunks: Uint8Array[] = []
  const header = createHeader({
    pageSize: file.pageSize,
    commit: file.commit,
    minTXID: BigInt(file.min),
    maxTXID: BigInt(file.max),
    timestampMs: file.timestampMs ?? 1_700_000_000_000 + file.max * 1000,
  })
  const encoder = new Encoder(header, (chunk) => chunks.push(chunk.slice()))
  for (const [pgno, data] of file.pages) encoder.writePage(pgno, data)
  encoder.finish()
  return Buffer.concat(chunks)
}

/** A file replica of made-up files in a temporary folder. */
export class SyntheticReplica {
  readonly folder: string

  constructor(folder: string = testFolder()) {
    this.folder = folder
  }

  add(file: SyntheticFile, bytes: Uint8Array = encodeFile(file)): this {
    const folder = join(this.folder, 'ltx', String(file.level ?? 0))
    mkdirSync(folder, { recursive: true })
    const path = join(folder, formatLTXFileName(BigInt(file.min), BigInt(file.max)))
    writeFileSync(path, bytes)
    const seconds = (file.timestampMs ?? 1_700_000_000_000 + file.max * 1000) / 1000
    utimesSync(path, seconds, seconds)
    return this
  }

  remove(level: number, min: number, max: number): void {
    rmSync(join(this.folder, 'ltx', String(level), formatLTXFileName(BigInt(min), BigInt(max))))
  }

  open(): Promise<ReplicaClient> {
    return openReplica(pathToFileURL(this.folder).href)
  }
}

/** A page whose content tells its number and version. */
export function page(pageSize: number, pgno: number, version: number): Uint8Array {
  const data = new Uint8Array(pageSize)
  data.fill((pgno * 31 + version * 7) & 0xff)
  new DataView(data.buffer).setUint32(0, pgno)
  new DataView(data.buffer).setUint32(4, version)
  return data
}

/** Pages `from` to `to` of one version, without the lock page. */
export function pages(pageSize: number, from: number, to: number, version: number): [number, Uint8Array][] {
  const all: [number, Uint8Array][] = []
  for (let pgno = from; pgno <= to; pgno++) {
    if (pgno !== lockPgno(pageSize)) all.push([pgno, page(pageSize, pgno, version)])
  }
  return all
}

/** A client with some methods replaced: for faults that a real store shows rarely. */
export function withFaults(client: ReplicaClient, faults: Partial<ReplicaClient>): ReplicaClient {
  return new Proxy(client, {
    get(target, name) {
      const own = (faults as Record<PropertyKey, unknown>)[name]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Listings over an array of files, as the planner wants them. */
export function listerOf(files: readonly LTXFileInfo[]) {
  return async function* list(level: number): AsyncGenerator<LTXFileInfo> {
    const own = files.filter((file) => file.level === level)
    own.sort((a, b) => Number(a.minTXID - b.minTXID) || Number(a.maxTXID - b.maxTXID))
    yield* own
  }
}
