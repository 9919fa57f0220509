import { codeOf } from '../error-fields.ts'

/** What the exit code of the command says. */
export const EXIT_OK = 0
export const EXIT_FAILED = 1
/** Wrong usage or configuration. */
export const EXIT_USAGE = 2
/** Nothing there: an empty replica, no such TXID, a time before the first or in the future. */
export const EXIT_NOTHING_THERE = 3
/** The lease is held elsewhere, or was lost. */
export const EXIT_LEASE = 4
/** Verification failed: a damaged file, a broken chain, wrong contents. */
export const EXIT_DAMAGED = 5

const BY_CODE: Readonly<Record<string, number>> = {
  CLI_USAGE: EXIT_USAGE,
  OBJECT_NOT_A_FOLDER: EXIT_USAGE,
  REPLICA_UNKNOWN_SCHEME: EXIT_USAGE,
  REPLICA_UNSUPPORTED_SCHEME: EXIT_USAGE,
  REPLICA_BAD_URL: EXIT_USAGE,
  REPLICA_NOT_A_FOLDER: EXIT_USAGE,
  RESTORE_CONFLICTING_TARGET: EXIT_USAGE,
  RESTORE_OUTPUT_NOT_A_FILE: EXIT_USAGE,
  RESTORE_NO_BACKUPS: EXIT_NOTHING_THERE,
  RESTORE_TXID_NOT_AVAILABLE: EXIT_NOTHING_THERE,
  RESTORE_TIME_OUT_OF_RANGE: EXIT_NOTHING_THERE,
  RESTORE_GAP: EXIT_DAMAGED,
  RESTORE_DAMAGED_FILE: EXIT_DAMAGED,
  RESTORE_HOLE: EXIT_DAMAGED,
  RESTORE_MISMATCH: EXIT_DAMAGED,
  RESTORE_INTEGRITY_FAILED: EXIT_DAMAGED,
}

const BY_PREFIX: Readonly<Record<string, number>> = {
  CONFIG: EXIT_USAGE,
  LEASE: EXIT_LEASE,
  LTX: EXIT_DAMAGED,
}

/** The exit code for an error, by its `code`; {@link EXIT_FAILED} for any that is not listed. */
export function exitCodeOf(error: unknown): number {
  const code = codeOf(error)
  if (code === undefined) return EXIT_FAILED
  return BY_CODE[code] ?? BY_PREFIX[code.split('_')[0] ?? ''] ?? EXIT_FAILED
}

/** The table of exit codes as the help of every command shows it. */
export const EXIT_CODE_HELP = `Exit codes:
  0  done; a daemon that was told to stop and drained
  1  failed
  2  wrong usage or configuration
  3  nothing there: an empty replica, no such TXID, a time before the first or in the future
  5  damaged file, broken chain or wrong contents`
