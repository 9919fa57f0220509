import { ObjectStoreError, type ObjectStoreErrorCode } from './errors.ts'

/** True for an error of a system call, with one of these codes if any are given. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return false
  return typeof error.code === 'string' && (codes.length === 0 || codes.includes(error.code))
}

interface Meaning {
  readonly code: ObjectStoreErrorCode
  readonly problem: string
  readonly hint?: string
}

const NO_PERMISSION: Meaning = {
  code: 'OBJECT_AUTH_FAILED',
  problem: 'no permission',
  hint: 'give the user that runs this process the right to read and write there',
}
const NO_SPACE: Meaning = {
  code: 'OBJECT_NO_SPACE',
  problem: 'no space left',
  hint: 'make room on that disk or raise its quota',
}
const NOT_A_FOLDER: Meaning = {
  code: 'OBJECT_NOT_A_FOLDER',
  problem: 'a file stands where a folder must be',
  hint: 'name a folder that does not exist yet, or move the file away',
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: NO_PERMISSION,
  EPERM: NO_PERMISSION,
  ENOSPC: NO_SPACE,
  EDQUOT: NO_SPACE,
  EROFS: { code: 'OBJECT_READ_ONLY', problem: 'the file system is read-only', hint: 'mount it for writing' },
  ENOTDIR: NOT_A_FOLDER,
  EISDIR: { code: 'OBJECT_IS_A_FOLDER', problem: 'a folder stands where the object must be' },
  ELOOP: { code: 'OBJECT_UNSAFE_KEY', problem: 'a symbolic link stands below the root' },
  ENOENT: { code: 'OBJECT_UNAVAILABLE', problem: 'the file or its folder went away' },
  ENAMETOOLONG: { code: 'OBJECT_UNSAFE_KEY', problem: 'the name is too long for this file system' },
}

const UNAVAILABLE: Meaning = { code: 'OBJECT_UNAVAILABLE', problem: 'failed' }

/**
 * Turns the error of a system call into the store's own. Anything else, an abort's reason or a bug, stays what it is.
 */
export function fileError(cause: unknown, action: string, path: string, key?: string): unknown {
  if (!isErrno(cause)) return cause
  const { code, problem, hint } = MEANINGS[cause.code ?? ''] ?? UNAVAILABLE
  return new ObjectStoreError(code, `${action} ${path}: ${problem}`, { cause, path, key, hint })
}

/** A file stands where the root or a folder below it must be. */
export function notAFolder(path: string, cause?: unknown): ObjectStoreError {
  const { code, problem, hint } = NOT_A_FOLDER
  return new ObjectStoreError(code, `${problem}: ${path}`, {
    path,
    hint,
    ...(cause !== undefined && { cause }),
  })
}
