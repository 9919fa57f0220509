import type { AttachedDatabase } from '../sqlite/attached-database.ts'
import { frameBytes, frameOffset, type WALHeaderView } from '../sqlite/wal-file.ts'
import type { WALState } from '../sqlite/wal-connections.ts'
import { type Continuity, findContinuity, MAX_UNDER_BARRIER_BYTES } from './continuity.ts'
import type { Position } from './position.ts'
import { ContinuityLost, WALCursor, type WALPlace } from './wal-cursor.ts'

/** What is known of the past of a database when capture comes back to it. */
export interface Past {
  /** End of the last file in the chain, when that file has our mark. */
  readonly position: Position | undefined
  /** Whether the database file, as it is now, is proved to hold everything up to `position`. */
  readonly isSealed: () => boolean
  readonly bootID: Uint8Array
}

/** A cursor that goes on where capture stopped, or one that waits for a snapshot, and why. */
export interface Continued {
  readonly cursor: WALCursor
  readonly snapshotReason: string | undefined
}

/**
 * Takes the pin and decides whether the WAL continues what was captured. The caller holds the barrier, so that
 * nothing moves meanwhile. Undefined while SQLite cannot say what is committed.
 */
export function continueFrom(attached: AttachedDatabase, past: Past): Continued | undefined {
  const { connections, wal, file } = attached
  connections.pin()
  const state = connections.walState()
  if (state === undefined) {
    connections.unpin()
    return undefined
  }
  const header = wal.readHeader()
  const { position, bootID } = past
  const pageSize = connections.pageSize
  const isSealed = position !== undefined && past.isSealed()
  const continuity = findContinuity({ position, isSealed, header, state, wal, pageSize, bootID })
  const cursor = new WALCursor(connections, file, wal, position ?? NOWHERE)
  return { cursor, snapshotReason: apply(continuity, cursor, header, state) }
}

const NOWHERE: WALPlace = { salt1: 0, salt2: 0, frames: 0, checksum: { s0: 0, s1: 0 }, commit: 0 }

function apply(
  continuity: Continuity,
  cursor: WALCursor,
  header: WALHeaderView | undefined,
  state: WALState,
): string | undefined {
  if (continuity.kind === 'snapshot') return continuity.reason
  if (continuity.kind === 'sealed') {
    cursor.moveTo(cursor.place, true)
    return undefined
  }
  try {
    if (
      state.logFrames * frameBytes(cursor.pageSize) > MAX_UNDER_BARRIER_BYTES &&
      needsAllNow(continuity, state)
    ) {
      return 'too much was written to be read while writers wait'
    }
    if (continuity.kind === 'restarted') {
      cursor.collectRestarted(continuity.tail, header!, state, cursor.connections.pageCount())
    } else {
      const { frames, checksum } = continuity
      cursor.moveTo({ ...cursor.place, ...header, frames, checksum }, false)
      if (needsAllNow(continuity, state)) cursor.collectAll(header!, state)
      else cursor.refreshSeal()
    }
    return undefined
  } catch (error) {
    if (error instanceof ContinuityLost) return error.message
    throw error
  }
}

/**
 * Whether the WAL has to be read before the barrier is let go: when all of it is backfilled, the first pin sits on slot
 * 0 and keeps the database file as it is, but not the WAL. A pin elsewhere keeps it, and there is time.
 */
function needsAllNow(continuity: Continuity, state: WALState): boolean {
  if (continuity.kind === 'restarted') return true
  if (continuity.kind !== 'continue') return false
  return state.logFrames === state.backfilledFrames && state.logFrames > continuity.frames
}

/**
 * Takes the pin anew and describes the state it holds. The caller holds the barrier. Undefined while SQLite cannot
 * say.
 */
export function pinnedState(
  attached: AttachedDatabase,
): { readonly place: WALPlace; readonly isBackfilled: boolean } | undefined {
  const { connections, wal } = attached
  connections.unpin()
  connections.pin()
  const state = connections.walState()
  if (state === undefined) return undefined
  const header = wal.readHeader()
  const isBackfilled = state.logFrames === state.backfilledFrames
  if (state.logFrames === 0 || header === undefined) {
    const checksum = header?.checksum ?? NOWHERE.checksum
    return {
      place: { ...NOWHERE, ...header, frames: 0, checksum, commit: connections.pageCount() },
      isBackfilled,
    }
  }
  const last = new DataView(new ArrayBuffer(24))
  wal.readInto(frameOffset(state.logFrames - 1, attached.pageSize), new Uint8Array(last.buffer))
  const place = {
    ...header,
    frames: state.logFrames,
    checksum: { s0: last.getUint32(16), s1: last.getUint32(20) },
    commit: last.getUint32(4),
  }
  return { place, isBackfilled }
}
