import { open } from 'node:fs/promises'
import {
  decodeHeader,
  formatLTXFileName,
  formatTXID,
  type Header,
  HEADER_BYTES,
  LTXError,
  TRAILER_BYTES,
  type TXID,
  verifyLTX,
} from '../../ltx/index.ts'
import type { LTXFileInfo, ReplicaClient } from '../../replica/index.ts'
import type { Chain } from '../capture/capture.ts'
import { positionOf } from '../capture/position.ts'
import { DatabaseError, forkedError } from '../database-error.ts'
import type { Logger } from '../logger.ts'
import type { Level0File, Level0Folder } from '../state/level0-folder.ts'
import { readSealRecord } from '../state/seal-record.ts'
import { filesToShip } from '../upload/files-to-ship.ts'
import { readCoverage, type ReplicaCoverage, type TXIDSpan } from '../upload/replica-coverage.ts'

/** What is here and what is in the replica, brought together. */
export interface JoinedChain {
  readonly chain: Chain
  /** Local files that the replica lacks, in the order to ship them. */
  readonly missing: readonly Level0File[]
  /** The other local files, kept for as long as they may be of use. */
  readonly shipped: readonly Level0File[]
  /** Everything up to here is in the replica. */
  readonly replicatedTXID: TXID
  /** Everything up to here will be, once `missing` is shipped. */
  readonly reachableTXID: TXID
}

/** Whose chains are joined. */
export interface JoinOptions {
  readonly databasePath: string
  readonly stateFolder: string
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
 * when it is gone from here too, or damaged.
 */
export async function joinChains(options: JoinOptions): Promise<JoinedChain> {
  const coverage = await readCoverage(options.client, options.signal)
  const { files: local, damaged } = await soundFiles(options)
  // One that the replica has stays until a newer one has taken its place: without it we would seem to be behind.
  if (damaged !== undefined && !coverage.covers(damaged)) options.level0.remove(damaged)
  const newest = local.at(-1)
  if (damaged === undefined && newest !== undefined) {
    if (coverage.highestTXID > newest.maxTXID) throw behindError(options, newest, coverage)
    await requireSameHistory(options, local, coverage)
  }
  const { files: missing, replicatedTXID, reachableTXID } = filesToShip(local, coverage)
  const highestTXID = max(coverage.highestTXID, newest?.maxTXID ?? 0n)
  const header = await newestHeader(options, newest, coverage)
  const broken = damaged ?? (header === 'damaged' ? coverage.newest : undefined)
  const chain: Chain = {
    highestTXID,
    position: broken === undefined && typeof header === 'object' ? positionOf(header) : undefined,
    ...(typeof header === 'object' ? { pageSize: header.pageSize } : {}),
    ...bridge(highestTXID, reachableTXID, broken),
  }
  const isMissing = new Set(missing)
  const shipped = [...local, ...(damaged === undefined ? [] : [damaged])].filter(
    (file) => !isMissing.has(file),
  )
  return { chain, missing, shipped, replicatedTXID, reachableTXID }
}

// A second or so of reading. A larger file is a snapshot, whose own start should not wait for it after a clean stop.
const ALWAYS_VERIFIED_BYTES = 256 << 20

/**
 * The local files. The newest says where capture stands and is read whole, unless it is large and a clean stop has
 * vouched for it; a damaged one is reported. Its copy in the replica may be the very same bytes by a hard
 * link.
 */
async function soundFiles({ level0, logger, stateFolder }: JoinOptions): Promise<{
  readonly files: Level0File[]
  readonly damaged: Level0File | undefined
}> {
  const files = level0.list()
  const newest = files.at(-1)
  const isVouchedFor = readSealRecord(stateFolder)?.txid === newest?.maxTXID
  if (newest === undefined || (isVouchedFor && newest.sizeBytes > ALWAYS_VERIFIED_BYTES)) {
    return { files, damaged: undefined }
  }
  const handle = await open(newest.path)
  try {
    await verifyLTX(handle.createReadStream({ autoClose: false }))
    return { files, damaged: undefined }
  } catch (error) {
    if (!(error instanceof LTXError)) throw error
    logger.warn(
      { file: newest.path, err: error },
      'the newest local file is damaged, a snapshot takes its place',
    )
    return { files: files.slice(0, -1), damaged: newest }
  } finally {
    await handle.close()
  }
}

/** Header of the newest file of the chain, here or else in the replica; undefined when there is none. */
async function newestHeader(
  { client, signal, logger }: JoinOptions,
  local: Level0File | undefined,
  { newest, highestTXID }: ReplicaCoverage,
): Promise<Header | 'damaged' | undefined> {
  if (local !== undefined && local.maxTXID >= highestTXID) return readHeader(local.path)
  if (newest === undefined) return undefined
  const bytes = await readRange(client, newest, 0, HEADER_BYTES, signal)
  if (bytes === undefined) return undefined
  try {
    return decodeHeader(bytes)
  } catch (error) {
    if (!(error instanceof LTXError)) throw error
    const file = formatLTXFileName(newest.minTXID, newest.maxTXID)
    logger.warn(
      { level: newest.level, file, err: error },
      'the newest file of the replica is damaged, a snapshot takes its place',
    )
    return 'damaged'
  }
}

async function requireSameHistory(
  options: JoinOptions,
  local: readonly Level0File[],
  { newest }: ReplicaCoverage,
): Promise<void> {
  if (newest === undefined || newest.level !== 0) return
  const mine = local.find((file) => file.minTXID === newest.minTXID && file.maxTXID === newest.maxTXID)
  if (mine === undefined) return
  if (mine.sizeBytes !== newest.sizeBytes) throw forkedError(options.databasePath, options.client.url)
  // The trailer holds a checksum over all that the file says.
  const at = mine.sizeBytes - TRAILER_BYTES
  const theirs = await readRange(options.client, newest, at, TRAILER_BYTES, options.signal)
  const ours = await readLocalRange(mine.path, at, TRAILER_BYTES)
  if (theirs !== undefined && !ours.equals(theirs))
    throw forkedError(options.databasePath, options.client.url)
}

/** What a snapshot has to span so that a restore reaches the end of the chain; nothing when it does already. */
function bridge(
  highestTXID: TXID,
  reachableTXID: TXID,
  damaged: TXIDSpan | undefined,
): Pick<Chain, 'snapshotMinTXID' | 'snapshotReason'> {
  if (damaged !== undefined) {
    const minTXID = damaged.minTXID <= reachableTXID ? damaged.minTXID : reachableTXID + 1n
    return { snapshotMinTXID: minTXID, snapshotReason: 'the newest file was damaged' }
  }
  if (reachableTXID >= highestTXID) return {}
  return {
    snapshotMinTXID: reachableTXID + 1n,
    snapshotReason: `transaction ${formatTXID(reachableTXID + 1n)} is missing from the replica, and here too`,
  }
}

function max(a: TXID, b: TXID): TXID {
  return a > b ? a : b
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
