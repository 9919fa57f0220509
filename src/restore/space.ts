import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RestoreError } from './errors.ts'

/**
 * Throws `RestoreError` with `RESTORE_NO_SPACE` if the file system that holds `folder`, or the nearest folder above
 * it that exists, has less than `sizeBytes` left for this user. A file system that cannot tell is let pass.
 */
export async function requireSpace(folder: string, sizeBytes: number): Promise<void> {
  const freeBytes = await freeSpace(folder)
  if (freeBytes === undefined || sizeBytes <= freeBytes) return
  throw new RestoreError(
    'RESTORE_NO_SPACE',
    `the database needs ${sizeBytes} bytes, ${freeBytes} are free: ${folder}`,
    {
      hint: 'free some space, or restore to another file system',
      path: folder,
    },
  )
}

async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return missing && dirname(folder) !== folder ? freeSpace(dirname(folder)) : undefined
  }
}

/** Whether an error of the file system says that it is full. */
export function isNoSpace(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
