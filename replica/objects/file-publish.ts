import { linkSync, lstatSync, openSync, closeSync, fsyncSync, futimesSync, renameSync } from 'node:fs'
import { ObjectStoreError } from './errors.ts'
import { isErrno } from './file-errors.ts'
import { syncFolder } from './file-folders.ts'
import { HASHED_BYTES, utimeOf } from './file-info.ts'
import { infoOfObject } from './file-read.ts'
import type { ETag, FileBody } from './object-store.ts'

/** Where an object goes. */
export interface Place {
  readonly key: string
  readonly folder: string
  readonly path: string
}

function preconditionFailed(place: Place, message: string): ObjectStoreError {
  const { key, path } = place
  return new ObjectStoreError('OBJECT_PRECONDITION_FAILED', `${message}: ${key}`, { key, path })
}

/** The error for a name that is taken. */
export function nameTaken(place: Place): ObjectStoreError {
  if (lstatSync(place.path, { throwIfNoEntry: false })?.isDirectory()) {
    const { key, path } = place
    return new ObjectStoreError('OBJECT_IS_A_FOLDER', `a folder stands where the object must be: ${path}`, {
      key,
      path,
    })
  }
  // Whoever made it may have crashed before this, and the caller may take what stands there for its own, written.
  syncFolder(place.folder)
  return preconditionFailed(place, 'object exists')
}

function isTaken(place: Place): boolean {
  return lstatSync(place.path, { throwIfNoEntry: false }) !== undefined
}

/** Refuses early when the name is taken, before a body is written for nothing. Decides nothing. */
export function assertFree(place: Place): void {
  if (isTaken(place)) throw nameTaken(place)
}

function setTime(path: string, modifiedMs: number): void {
  const fd = openSync(path, 'r+')
  try {
    futimesSync(fd, utimeOf(modifiedMs), utimeOf(modifiedMs))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

// EXDEV: another file system. EPERM: a file system without links, or a kernel that lets only owners link. EMLINK: as
// many as it can count. The others: no such call.
function cannotLink(error: unknown): boolean {
  return isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')
}

/**
 * Gives a finished file the object's name as well, only if that is free; false when this disk cannot. Throws raw
 * system errors: `ENOENT` says that the file or the folder is not there.
 */
export function linkNew(path: string, place: Place): boolean {
  try {
    linkSync(path, place.path)
  } catch (error) {
    if (cannotLink(error)) return false
    if (isErrno(error, 'EEXIST')) throw nameTaken(place)
    throw error
  }
  syncFolder(place.folder)
  return true
}

/** The same for the caller's file, which gets the time of the object first, if it has another. */
export function linkBody(body: FileBody, place: Place, modifiedMs: number | undefined): boolean {
  try {
    if (modifiedMs !== undefined && modifiedMs !== body.modifiedMs) setTime(body.path, modifiedMs)
  } catch (error) {
    // A file that may be read and not changed can still be copied.
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
  return linkNew(body.path, place)
}

/** Renames a temporary file to the object's name, whatever stands there. Only under the guard of the folder. */
export function renameOver(temp: string, place: Place): void {
  renameSync(temp, place.path)
  syncFolder(place.folder)
}

/** Renames a temporary file to the object's name, only if that is free. Only under the guard of the folder. */
export function renameNew(temp: string, place: Place): void {
  if (isTaken(place)) throw nameTaken(place)
  renameOver(temp, place)
}

/** Renames a temporary file over the version with this ETag. Only under the guard of the folder. */
export function renameMatching(temp: string, place: Place, etag: ETag): void {
  const info = infoOfObject(place.path, place.key)
  if (info !== undefined && info.sizeBytes > HASHED_BYTES) {
    const message = `compare-and-swap of a file over ${HASHED_BYTES} bytes: ${place.key}`
    throw new ObjectStoreError('OBJECT_UNSUPPORTED', message, { key: place.key, path: place.path })
  }
  if (info?.etag !== etag) throw preconditionFailed(place, 'object is not the version expected')
  renameOver(temp, place)
}
