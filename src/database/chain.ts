import { open } from 'node:fs/promises'
import {
  decodeHeader,
  formatTXID,
  type Header,
  HEADER_BYTES,
  TRAILER_BYTES,
  type TXID,
  verifyLTX,
} from '../../ltx/index.ts'
import type { LTXFileInfo, ReplicaClient } from '../../replica/index.ts'
import type { Chain } from '../capture/capture.ts'
import { positionOf } from '../capture/position.ts'
import type { Logger } from '../logger.ts'
import type { Level0File, Level0Folder } from '../state/level0-folder.ts'
import { readCoverage, type ReplicaCoverage } from '../upload/replica-coverage.ts'
import { DatabaseError, forkedError } from '../database-error.ts'

/** What is here and what is in the replica, brought together. */
export interface JoinedChain {
  readonly chain: Chain
  /** Local files that the replica lacks, by TXID. */
  readonly missing: readonly Level0File[]
  /** Local files that the replica holds. */
  readonly shipped: readonly Level0File[]
  /** Everything up to here is in the replica. */
  readonly replicatedTXID: TXID
}

/** Whose chains are joined. */
export interface JoinOptions {
  readonly databasePath: string
  readonly client: ReplicaClient
  readonly level0: Level0Folder
  readonly logger: Logger
  readonly signal?: AbortSignal
}

/**
 * Joins the local files and the replica's to the one chain that the next file continues.
 *
 * Without local files the replica's newest level-0 file says where capture stood. With them the replica must not hold
 * anything else under their names (`DB_FORKED`) nor have gone past them (`DB_BEHIND_REPLICA`): then somebody else
 * writes there, or this disk was rolled back. What the replica lacks is shipped from here, or bridged by a snapshot
 * when it is gone from here too.
 */
export async function joinChains(options: JoinOptions): Promise<JoinedChain> {
  const { client, signal } = options
  const coverage = await readCoverage(client, signal)
  const local = await soundFiles(options)
  const newest = local.at(-1)
  if (newest === undefined) {
    const position = await adoptedPosition(client, coverage, signal)
    return {
      chain: { highestTXID: coverage.highestTXID, position },
      ...NOTHING_LOCAL,
      replicatedTXID: coverage.highestTXID,
    }
  }
  if (coverage.highestTXID > newest.maxTXID) throw behindError(options, newest, coverage)
  await requireSameHistory(options, local, coverage)
  const position = positionOf(await readHeader(newest.path))
  const { missing, reachedTXID } = filesToShip(local, coverage)
  const shipped = local.filter((file) => !missing.includes(file))
  const chain: Chain = { highestTXID: newest.maxTXID, position }
  const replicatedTXID = missing[0] === undefined ? coverage.highestTXID : missing[0].minTXID - 1n
  if (reachedTXID >= newest.maxTXID) return { chain, missing, shipped, replicatedTXID }
  return {
    chain: { ...chain, ...bridge(coverage.highestTXID, reachedTXID) },
    missing: [],
    shipped: local,
    replicatedTXID: coverage.highestTXID,
  }
}

const NOTHING_LOCAL = { missing: [], shipped: [] } as const

/** The local files, unless the newest, which says where capture stands, is damaged: then none of them is believed. */
async function soundFiles({ level0, logger }: JoinOptions): Promise<Level0File[]> {
  const files = level0.list()
  const newest = files.at(-1)
  if (newest === undefined) return files
  try {
    const handle = await open(newest.path)
    try {
      await verifyLTX(handle.createReadStream({ autoClose: false }))
      return files
    } finally {
      await handle.close()
    }
  } catch (error) {
    logger.warn({ file: newest.path, err: error }, 'newest local file is damaged, starting from the replica')
    for (const file of files) level0.remove(file)
    return []
  }
}

/** Where the replica's newest file says that capture stood; undefined when that is not a level-0 file of ours. */
async function adoptedPosition(
  client: ReplicaClient,
  { newestLevel0, highestTXID }: ReplicaCoverage,
  signal?: AbortSignal,
): Promise<Chain['position']> {
  if (newestLevel0 === undefined || newestLevel0.maxTXID !== highestTXID) return undefined
  const bytes = await readRange(client, newestLevel0, 0, HEADER_BYTES, signal)
  return bytes === undefined ? undefined : positionOf(decodeHeader(bytes))
}

async function requireSameHistory(
  options: JoinOptions,
  local: readonly Level0File[],
  { newestLevel0 }: ReplicaCoverage,
): Promise<void> {
  if (newestLevel0 === undefined) return
  const mine = local.find(
    (file) => file.minTXID === newestLevel0.minTXID && file.maxTXID === newestLevel0.maxTXID,
  )
  if (mine === undefined) return
  if (mine.sizeBytes !== newestLevel0.sizeBytes) throw forkedError(options.databasePath, options.client.url)
  // The trailer holds a checksum over all that the file says.
  const at = mine.sizeBytes - TRAILER_BYTES
  const theirs = await readRange(options.client, newestLevel0, at, TRAILER_BYTES, options.signal)
  const ours = await readLocalRange(mine.path, at, TRAILER_BYTES)
  if (theirs !== undefined && !ours.equals(theirs))
    throw forkedError(options.databasePath, options.client.url)
}

/** The local files that fill the replica's holes and those that continue it, and how far these reach. */
function filesToShip(
  local: readonly Level0File[],
  coverage: ReplicaCoverage,
): { readonly missing: readonly Level0File[]; readonly reachedTXID: TXID } {
  const missing: Level0File[] = []
  let reachedTXID = coverage.highestTXID
  for (const file of local.filter((candidate) => !coverage.covers(candidate))) {
    if (file.maxTXID <= coverage.highestTXID) missing.push(file)
  }
  for (;;) {
    const next = local.findLast((file) => file.minTXID <= reachedTXID + 1n && file.maxTXID > reachedTXID)
    if (next === undefined) return { missing, reachedTXID }
    missing.push(next)
    reachedTXID = next.maxTXID
  }
}

/** The files between are gone here too: one snapshot has to span them. */
function bridge(replicaTXID: TXID, reachedTXID: TXID): Pick<Chain, 'snapshotMinTXID' | 'snapshotReason'> {
  return {
    snapshotMinTXID: replicaTXID + 1n,
    snapshotReason: `the replica lacks transaction ${formatTXID(reachedTXID + 1n)} and the local file of it is gone`,
  }
}

function behindError(options: JoinOptions, newest: Level0File, coverage: ReplicaCoverage): DatabaseError {
  const { databasePath, client } = options
  const [here, there] = [formatTXID(newest.maxTXID), formatTXID(coverage.highestTXID)]
  return new DatabaseError(
    'DB_BEHIND_REPLICA',
    databasePath,
    `the replica is at ${there} and the local state at ${here}, somebody else writes there or this disk was rolled back: ${client.url}`,
    { hint: `if this database is the right one: replicate reset ${databasePath}` },
  )
}

async function readRange(
  client: ReplicaClient,
  file: LTXFileInfo,
  offset: number,
  lengthBytes: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  const bytes = await client.openLTXFile(file, {
    offset,
    lengthBytes,
    ...(signal === undefined ? {} : { signal }),
  })
  if (bytes === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

async function readLocalRange(path: string, offset: number, lengthBytes: number): Promise<Buffer> {
  const handle = await open(path)
  try {
    const bytes = Buffer.alloc(lengthBytes)
    const { bytesRead } = await handle.read(bytes, 0, lengthBytes, offset)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function readHeader(path: string): Promise<Header> {
  return decodeHeader(await readLocalRange(path, 0, HEADER_BYTES))
}
