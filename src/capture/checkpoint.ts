import type { WALConnections } from '../sqlite/wal-connections.ts'
import { frameBytes } from '../sqlite/wal-file.ts'
import type { WALCursor } from './wal-cursor.ts'

/** How a checkpoint ended. Only `sealed` lets the WAL start again from its beginning. */
export type CheckpointOutcome =
  /** All is read and in the database file; the next writer restarts the WAL. */
  | 'sealed'
  /** Copied what could be, but a reader of somebody's needs the rest of the WAL. */
  | 'pinned'
  /** A writer or another checkpoint was in the way; try again soon. */
  | 'busy'

const ROUNDS = 2
const BARRIER_SPIN_MS = 20
const LOCK_SPIN_MS = 5
const SPIN_STEP_MS = 0.1
const MAX_TAIL_BYTES = 16 << 20

/**
 * PASSIVE checkpoint in two rounds, so that the barrier is short.
 *
 * The rounds copy and sync nearly everything while writers go on. The barrier then stops writers for as long as the
 * small rest takes: read it into memory, copy it, take the pin anew on a WAL that is done with. What was read is in
 * the cursor's batch; the caller writes it to a file after this returns, when writers already go on.
 *
 * The batch must be empty or small, and in memory. Blocks nobody but under the barrier, 20 ms at the very most.
 */
export function checkpoint(cursor: WALCursor): CheckpointOutcome {
  for (let round = 0; round < ROUNDS; round++) {
    if (!checkpointRound(cursor)) return 'busy'
  }
  const deadlineMs = performance.now() + BARRIER_SPIN_MS
  if (!spinUntil(deadlineMs, () => cursor.connections.tryBarrier())) return 'busy'
  try {
    return underBarrier(cursor, performance.now() + BARRIER_SPIN_MS)
  } finally {
    cursor.connections.releaseBarrier()
  }
}

/** Takes the barrier within `forMs`, or returns false. Blocks the thread meanwhile. */
export function spinForBarrier(connections: WALConnections, forMs: number): boolean {
  return spinUntil(performance.now() + forMs, () => connections.tryBarrier())
}

function checkpointRound(cursor: WALCursor): boolean {
  if (!cursor.isCaughtUp || !cursor.batch.isHeld) return false
  cursor.movePin()
  if (!readAll(cursor)) return false
  cursor.wal.sync()
  // An application past its own threshold holds the checkpoint lock at every commit, for a moment each.
  if (!spinUntil(performance.now() + LOCK_SPIN_MS, () => cursor.connections.checkpointPassive())) return false
  cursor.database.sync()
  return readAll(cursor)
}

/** Reads what is new; false when it is too much to hold in memory, or not to be had right now. */
function readAll(cursor: WALCursor): boolean {
  return cursor.collect() !== 'later' && cursor.batch.isHeld && cursor.batch.bytes <= MAX_TAIL_BYTES
}

function underBarrier(cursor: WALCursor, deadlineMs: number): CheckpointOutcome {
  const { connections } = cursor
  if (!readAll(cursor)) return 'busy'
  const read = connections.walState()
  if (read === undefined || read.logFrames !== cursor.place.frames) return 'busy'
  connections.unpin()
  try {
    spinUntil(deadlineMs, () => {
      connections.checkpointPassive()
      const state = connections.walState()
      return state !== undefined && state.logFrames === state.backfilledFrames
    })
  } finally {
    connections.pin()
    cursor.refreshSeal()
  }
  return cursor.isSealed ? 'sealed' : 'pinned'
}

/** Cuts the file of a WAL that is sealed to one frame when it has outgrown `maxFrames`. True when it was cut. */
export function shrinkWAL(cursor: WALCursor, maxFrames: number): boolean {
  if (!cursor.isSealed || cursor.wal.sizeBytes() <= maxFrames * frameBytes(cursor.pageSize)) return false
  return cursor.connections.shrinkWAL()
}

function spinUntil(deadlineMs: number, attempt: () => boolean): boolean {
  while (!attempt()) {
    if (performance.now() >= deadlineMs) return false
    Atomics.wait(SLEEPER, 0, 0, SPIN_STEP_MS)
  }
  return true
}

const SLEEPER = new Int32Array(new SharedArrayBuffer(4))
