import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { isFileBody } from './body.ts'
import { ObjectStoreError } from './errors.ts'
import { fileError, isErrno } from './file-errors.ts'
import type { FileFolders } from './file-folders.ts'
import { underGuard } from './file-guard.ts'
import { modifiedMsOf } from './file-info.ts'
import {
  assertFree,
  linkBody,
  linkNew,
  renameMatching,
  renameNew,
  renameOver,
  type Place,
} from './file-publish.ts'
import { tempName } from './file-temp.ts'
import { discardTemp, fillTemp, openTemp, type TempFile } from './file-write.ts'
import { folderOfKey } from './key.ts'
import type { FileBody, ObjectListing, PutBody, PutOptions } from './object-store.ts'

/** Each is lost only to somebody who removed the empty folder at that very moment. */
const MAX_ATTEMPTS = 50

/** What a put needs to know of its store. */
export interface FilePutContext {
  readonly folders: FileFolders
  readonly fileMode: number
  readonly hardLinks: boolean
  readonly guardTimeoutMs: number
}

/**
 * Writes one object. The way of a hundred files a second is the first: a finished file, create-only, on the same disk.
 * It costs one `link` and the sync of the folder.
 */
export async function putFile(
  context: FilePutContext,
  key: string,
  body: PutBody,
  options: PutOptions,
): Promise<ObjectListing> {
  assertSupported(key, options)
  if (options.ifNoneMatch !== undefined && context.hardLinks && isFileBody(body)) {
    const linked = putLink(context, key, body, options)
    if (linked !== undefined) return linked
  }
  return putTemp(context, key, body, options)
}

function assertSupported(key: string, options: PutOptions): void {
  assert(
    options.ifMatch === undefined || options.ifNoneMatch === undefined,
    'ifMatch and ifNoneMatch together',
  )
  if (options.metadata === undefined) return
  throw new ObjectStoreError('OBJECT_UNSUPPORTED', `the file store keeps no metadata: ${key}`, { key })
}

// Runs again when the folder went away after it was known, by the deletion of its last key or by hand.
function inFolder<T>({ folders }: FilePutContext, key: string, action: (place: Place) => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return action({ key, folder: folders.forWrite(folderOfKey(key)), path: folders.pathOf(key) })
    } catch (error) {
      const isGone = isErrno(error, 'ENOENT') && attempt < MAX_ATTEMPTS
      if (!isGone) throw fileError(error, 'write', folders.pathOf(key), key)
      folders.forget()
    }
  }
}

function tryLink(body: FileBody, place: Place, modifiedMs: number | undefined): boolean {
  try {
    return linkBody(body, place, modifiedMs)
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || existsSync(body.path)) throw error
    throw new ObjectStoreError('OBJECT_BAD_BODY', `body file is not there: ${body.path}`, {
      key: place.key,
      path: body.path,
      cause: error,
    })
  }
}

function putLink(
  context: FilePutContext,
  key: string,
  body: FileBody,
  options: PutOptions,
): ObjectListing | undefined {
  return inFolder(context, key, (place) => {
    if (!tryLink(body, place, options.modifiedMs)) return undefined
    const modifiedMs = options.modifiedMs ?? body.modifiedMs ?? modifiedMsOf(statSync(place.path))
    return { key, sizeBytes: body.sizeBytes, modifiedMs }
  })
}

async function putTemp(
  context: FilePutContext,
  key: string,
  body: PutBody,
  options: PutOptions,
): Promise<ObjectListing> {
  const { place, path, fd } = inFolder(context, key, (place) => {
    if (options.ifNoneMatch !== undefined) assertFree(place)
    const path = `${place.folder}/${tempName()}`
    return { place, path, fd: openTemp(path, context.fileMode) }
  })
  const { modifiedMs, signal } = options
  const temp = await fillTemp(fd, path, body, { mode: context.fileMode, modifiedMs, signal })
  try {
    await publish(context, temp, place, options)
  } catch (error) {
    discardTemp(path)
    throw fileError(error, 'write', place.path, key)
  }
  const { sizeBytes, etag } = temp
  return { key, sizeBytes, modifiedMs: modifiedMs ?? temp.modifiedMs, ...(etag !== undefined && { etag }) }
}

async function publish(
  context: FilePutContext,
  temp: TempFile,
  place: Place,
  options: PutOptions,
): Promise<void> {
  const { ifMatch, ifNoneMatch, signal } = options
  signal?.throwIfAborted()
  if (ifNoneMatch !== undefined && context.hardLinks && linkNew(temp.path, place))
    return discardTemp(temp.path)
  const guard = { timeoutMs: context.guardTimeoutMs, fileMode: context.fileMode, signal }
  return underGuard(place.folder, guard, () => {
    if (ifMatch !== undefined) renameMatching(temp.path, place, ifMatch)
    else if (ifNoneMatch !== undefined) renameNew(temp.path, place)
    else renameOver(temp.path, place)
  })
}
