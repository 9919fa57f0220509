import { formatTXID, parseLTXFileName } from '../ltx/index.ts'
import { ReplicaError } from './errors.ts'
import type { Layout } from './layout.ts'
import type { ObjectListing, ObjectStore } from './objects/object-store.ts'
import type { LTXFileInfo, LTXFilesOptions } from './replica-client.ts'
import { timeOfMetadata } from './time-metadata.ts'

/** Requests for metadata that are under way at one time. */
const HEADS_AT_ONCE = 50

function fileOf(listing: ObjectListing, level: number, prefix: string): LTXFileInfo | undefined {
  const name = parseLTXFileName(listing.key.slice(prefix.length))
  if (name === undefined) return undefined
  return { level, ...name, sizeBytes: listing.sizeBytes, createdAtMs: listing.modifiedMs }
}

/** Ascending by `minTXID`, then `maxTXID`. */
export function compareLTXFiles(a: LTXFileInfo, b: LTXFileInfo): number {
  if (a.minTXID !== b.minTXID) return a.minTXID < b.minTXID ? -1 : 1
  if (a.maxTXID !== b.maxTXID) return a.maxTXID < b.maxTXID ? -1 : 1
  return 0
}

async function* filesAsListed(
  store: ObjectStore,
  level: number,
  prefix: string,
  options: LTXFilesOptions,
): AsyncGenerator<LTXFileInfo, void, undefined> {
  const { seek = 0n, signal } = options
  // A name that begins with the TXID alone comes before every file of that TXID.
  const startAfter = seek > 0n ? prefix + formatTXID(seek) : undefined
  for await (const listing of store.list(prefix, { startAfter, signal })) {
    const file = fileOf(listing, level, prefix)
    if (file !== undefined && file.minTXID >= seek) yield file
  }
}

// Names of fixed width sort as their numbers do, so key order is the order wanted. It is believed, but checked: a file
// out of order would be a gap in the chain to whoever reads it.
async function* inOrder(files: AsyncIterable<LTXFileInfo>): AsyncGenerator<LTXFileInfo, void, undefined> {
  let previous: LTXFileInfo | undefined
  for await (const file of files) {
    if (previous !== undefined && compareLTXFiles(previous, file) > 0) {
      const message = `store listed txid ${formatTXID(file.minTXID)} after ${formatTXID(previous.minTXID)}`
      throw new ReplicaError('REPLICA_LISTING_UNORDERED', message, file)
    }
    previous = file
    yield file
  }
}

async function* sorted(files: AsyncIterable<LTXFileInfo>): AsyncGenerator<LTXFileInfo, void, undefined> {
  const all: LTXFileInfo[] = []
  for await (const file of files) all.push(file)
  yield* all.sort(compareLTXFiles)
}

/** The LTX files of one level in order. Only of a store that lists in no order are all of them held at once. */
export function listLTXFiles(
  store: ObjectStore,
  layout: Layout,
  level: number,
  options: LTXFilesOptions,
): AsyncGenerator<LTXFileInfo, void, undefined> {
  const prefix = layout.levelPrefixes[level] ?? ''
  const files = filesAsListed(store, level, prefix, options)
  return store.listOrder === 'none' ? sorted(files) : inOrder(files)
}

type KeyOf = (file: LTXFileInfo) => string

async function withTime(
  store: ObjectStore,
  file: LTXFileInfo,
  keyOf: KeyOf,
  signal: AbortSignal | undefined,
): Promise<LTXFileInfo | undefined> {
  const info = await store.head(keyOf(file), { signal })
  if (info === undefined) return undefined
  return { ...file, createdAtMs: timeOfMetadata(info.metadata) ?? info.modifiedMs }
}

/**
 * The same files with the times of their metadata; the time of storing where there is none. A file that is gone by then
 * is left out. A request that fails is an error: a wrong time would restore a wrong state.
 */
export async function* withTimes(
  store: ObjectStore,
  files: AsyncIterable<LTXFileInfo>,
  keyOf: KeyOf,
  signal: AbortSignal | undefined,
): AsyncGenerator<LTXFileInfo, void, undefined> {
  let batch: LTXFileInfo[] = []
  const flush = async (): Promise<LTXFileInfo[]> => {
    const timed = await Promise.all(batch.map((file) => withTime(store, file, keyOf, signal)))
    batch = []
    return timed.filter((file) => file !== undefined)
  }
  for await (const file of files) {
    if (batch.push(file) === HEADS_AT_ONCE) yield* await flush()
  }
  yield* await flush()
}
