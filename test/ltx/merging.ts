import { type LTXSource, mergeLTX, type MergedFile, type MergeOptions } from '../../ltx/index.ts'
import { decode, type DecodedFile, encode, headerOf, pageOf, source } from './files.ts'

export interface Merged extends DecodedFile {
  bytes: Uint8Array
  result: MergedFile
}

/** Merges into memory and reads the result. */
export async function merge(inputs: readonly LTXSource[], options: MergeOptions = {}): Promise<Merged> {
  const chunks: Uint8Array[] = []
  const result = await mergeLTX(inputs, (chunk) => void chunks.push(chunk.slice()), options)
  const bytes = new Uint8Array(Buffer.concat(chunks))
  return { ...decode(bytes), bytes, result }
}

export function sources(files: readonly Uint8Array[], chunkBytes?: number): LTXSource[] {
  return files.map((file, at) => source(`file ${at}`, file, chunkBytes))
}

/** Sources that know how many of them are open. */
export function countedSources(files: readonly Uint8Array[]): {
  sources: LTXSource[]
  open: number
  opened: number
  most: number
} {
  const counts = { sources: [] as LTXSource[], open: 0, opened: 0, most: 0 }
  async function* bytes(file: Uint8Array): AsyncGenerator<Uint8Array> {
    counts.opened++
    counts.most = Math.max(counts.most, ++counts.open)
    try {
      for (let at = 0; at < file.length; at += 100) {
        await new Promise(setImmediate)
        yield file.subarray(at, at + 100)
      }
    } finally {
      counts.open--
    }
  }
  counts.sources = files.map((file, at) => ({ name: `file ${at}`, open: () => bytes(file) }))
  return counts
}

/** The files of a history, as a database makes them: growth is always written. */
export function filesOf(history: readonly { commit: number; writes: number[] }[]): {
  files: Uint8Array[]
  database: Map<number, Uint8Array>
} {
  const database = new Map<number, Uint8Array>()
  let size = 0
  const files = history.map(({ commit, writes }, at) => {
    const txid = BigInt(at + 1)
    const pgnos = new Set(writes.filter((pgno) => pgno <= commit))
    for (let pgno = size + 1; pgno <= commit; pgno++) pgnos.add(pgno)
    for (const pgno of database.keys()) if (pgno > commit) database.delete(pgno)
    size = commit
    const pages = [...pgnos]
      .sort((a, b) => a - b)
      .map((pgno): [number, Uint8Array] => [pgno, pageOf(pgno, 512, at)])
    for (const [pgno, data] of pages) database.set(pgno, data)
    return encode(headerOf({ minTXID: txid, maxTXID: txid, commit }), pages, {
      payload: at % 3 === 0 ? 'frame' : 'block',
    })
  })
  return { files, database: new Map([...database].sort(([a], [b]) => a - b)) }
}
