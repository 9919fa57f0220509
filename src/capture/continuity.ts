import type { WALState } from '../sqlite/wal-connections.ts'
import type { ChecksumWords, WALHeaderView } from '../sqlite/wal-file.ts'
import { frameBytes, frameOffset, sameSalts } from '../sqlite/wal-file.ts'
import { WALError, WALReader, type WALSource } from '../wal/index.ts'
import { type Position, sameChecksum } from './position.ts'

/** Most that is read while writers wait, some 15 ms: beyond it a snapshot, for which they need not wait. */
export const MAX_UNDER_BARRIER_BYTES: number = 16 << 20

/** What is found when capture comes back to a database: all of it read under the barrier and the pin. */
export interface Findings {
  /** End of the last file in the chain, with our mark; undefined when there is none that says where it ended. */
  readonly position: Position | undefined
  /** Whether the database file is, to the nanosecond, the one that held everything up to `position`. */
  readonly isSealed: boolean
  readonly header: WALHeaderView | undefined
  readonly state: WALState
  readonly wal: WALSource
  readonly pageSize: number
  readonly bootID: Uint8Array
}

/** Pages that the rest of an old generation touched; their newest copies are in the database file. */
export interface OldTail {
  readonly pgnos: ReadonlySet<number>
  readonly smallestCommit: number
  readonly endFrame: number
  readonly checksum: ChecksumWords
}

/** May capture go on where it stopped, and from where? */
export type Continuity =
  /** Read on in the generation of the WAL that is there, after `frames` frames. */
  | { readonly kind: 'continue'; readonly frames: number; readonly checksum: ChecksumWords }
  /** Nothing in the WAL came after the position, and the next generation follows it directly. */
  | { readonly kind: 'sealed' }
  /** The WAL was restarted once: the tail's pages, then all of the new generation. */
  | { readonly kind: 'restarted'; readonly tail: OldTail }
  /** No proof. The next file holds the whole database. */
  | { readonly kind: 'snapshot'; readonly reason: string }

/**
 * Decides whether the WAL that is there continues the one that was captured.
 *
 * Anything but a proof ends in a snapshot. What proves: the stored cumulative checksum of the frame where capture
 * stopped (it names all the frames before it), or a database file that did not change since everything was in it.
 * Salts alone prove nothing about the tail of an old generation.
 */
export function findContinuity(findings: Findings): Continuity {
  const { position, header, state, pageSize, isSealed } = findings
  if (position === undefined) return snapshot('nothing was captured before, or another tool captured last')
  if (position.pageSize !== pageSize) return snapshot('the page size changed')
  const isSameGeneration = header !== undefined && sameSalts(header, position)
  if (isSameGeneration && continues(findings, position)) {
    return { kind: 'continue', frames: position.frames, checksum: position.checksum }
  }
  if (isSealed) return afterSeal(header, state, isSameGeneration)
  if (header === undefined) return snapshot('the wal is gone')
  if (isSameGeneration && state.logFrames > 0) return snapshot('the wal is not the one that was captured')
  return afterRestart(findings, position, header)
}

function snapshot(reason: string): Continuity {
  return { kind: 'snapshot', reason }
}

/** The frame before the next one to capture carries the checksum that we recorded, so all before it is the same. */
function continues({ state, wal, header }: Findings, position: Position): boolean {
  if (state.logFrames < position.frames) return false
  if (position.frames === 0) return sameChecksum(header!.checksum, position.checksum)
  const words = new DataView(new ArrayBuffer(24))
  const at = frameOffset(position.frames - 1, position.pageSize)
  if (wal.readInto(at, new Uint8Array(words.buffer)) < 24) return false
  return (
    sameSalts({ salt1: words.getUint32(8), salt2: words.getUint32(12) }, position) &&
    sameChecksum({ s0: words.getUint32(16), s1: words.getUint32(20) }, position.checksum)
  )
}

function afterSeal(
  header: WALHeaderView | undefined,
  state: WALState,
  isSameGeneration: boolean,
): Continuity {
  if (state.logFrames === 0) return { kind: 'sealed' }
  if (header === undefined || isSameGeneration)
    return snapshot('the wal contradicts the record of the clean stop')
  return { kind: 'continue', frames: 0, checksum: header.checksum }
}

/**
 * A restart implies that the old generation was in the database file whole. If the frame where we stopped is still
 * there, the old tail behind it is too, and it names the pages that we lack.
 *
 * After a crash of the machine this proves nothing: frames that were captured may have been lost and written anew.
 */
function afterRestart(findings: Findings, position: Position, header: WALHeaderView): Continuity {
  const { state, bootID } = findings
  if (!Buffer.from(bootID).equals(position.bootID))
    return snapshot('the machine was restarted without a clean stop')
  const isNextGeneration = header.salt1 === (position.salt1 + 1) >>> 0
  if (!isNextGeneration && !sameSalts(header, position))
    return snapshot('at least one generation of the wal was missed')
  if (position.frames === 0) return snapshot('the wal was restarted before its first frame was captured')
  if (state.logFrames >= position.frames) return snapshot('the wal was overwritten where capture had stopped')
  return readOldTail(findings, position, header)
}

function readOldTail({ wal, state }: Findings, position: Position, header: WALHeaderView): Continuity {
  const reader = resume(wal, position, header)
  if (reader === undefined) return snapshot('the wal was overwritten where capture had stopped')
  const isHeaderOld = state.logFrames === 0 && sameSalts(header, position)
  if (isHeaderOld && position.frames * frameBytes(position.pageSize) > MAX_UNDER_BARRIER_BYTES)
    return tooMuch()
  // The header is still the old one: then all of the generation is, and a broken chain would mean a damaged file.
  if (isHeaderOld && !reaches(wal, position))
    return snapshot('the wal is damaged before where capture had stopped')
  const pgnos = new Set<number>()
  let smallestCommit = position.commit
  let endFrame = position.frames
  let checksum = position.checksum
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    pgnos.add(frame.pgno)
    if (frame.commit !== 0) smallestCommit = Math.min(smallestCommit, frame.commit)
    endFrame = frame.frameIndex + 1
    checksum = { s0: frame.checksum1, s1: frame.checksum2 }
    if ((endFrame - position.frames) * frameBytes(position.pageSize) > MAX_UNDER_BARRIER_BYTES)
      return tooMuch()
  }
  return { kind: 'restarted', tail: { pgnos, smallestCommit, endFrame, checksum } }
}

function tooMuch(): Continuity {
  return snapshot('too much was written to be read while writers wait')
}

function resume(wal: WALSource, position: Position, header: WALHeaderView): WALReader | undefined {
  try {
    return WALReader.resume(wal, {
      offset: frameOffset(position.frames, position.pageSize),
      pageSize: position.pageSize,
      bigEndianChecksum: header.bigEndianChecksum,
      salt1: position.salt1,
      salt2: position.salt2,
      checksum1: position.checksum.s0,
      checksum2: position.checksum.s1,
    })
  } catch (error) {
    if (error instanceof WALError) return undefined
    throw error
  }
}

/** True when the checksum chain holds from the first frame of the file to the position. */
function reaches(wal: WALSource, position: Position): boolean {
  const opened = WALReader.open(wal)
  if (!('reader' in opened)) return false
  for (let frame = opened.reader.next(); frame !== undefined; frame = opened.reader.next()) {
    if (frame.frameIndex + 1 < position.frames) continue
    return sameChecksum({ s0: frame.checksum1, s1: frame.checksum2 }, position.checksum)
  }
  return false
}
