import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { isErrno } from './file-errors.ts'
import { mayBeAlive, pidSpace, startOfProcess } from './file-process.ts'

/** After this long without a change, a temporary file whose process cannot be looked up is a leftover. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000

const NAME = /^\.([0-9a-f]{8})-(\d{1,10})-(\d{1,20})-[0-9a-z]+\.tmp$/

// Worker threads load this module once each and share the pid: what they start counting from must differ.
let next = Math.floor(Math.random() * 0x1000000) * 0x1000000
let ownPrefix: string | undefined
let ownSpace: string | undefined

function space(): string {
  ownSpace ??= pidSpace()
  return ownSpace
}

/** A name for a temporary file: unique, and telling which process writes it. It is no key. */
export function tempName(): string {
  ownPrefix ??= `.${space()}-${process.pid}-${startOfProcess(process.pid)}-`
  return `${ownPrefix}${(next++).toString(36)}.tmp`
}

/** True for a temporary file that nobody can be writing any more. */
export function isAbandoned(name: string, changedMs: number, nowMs: number): boolean {
  const match = NAME.exec(name)
  if (match === null) return false
  const [, pidSpaceOfName = '', pid = '', start = ''] = match
  if (pidSpaceOfName === space()) return !mayBeAlive(Number(pid), start)
  return nowMs - changedMs > ABANDONED_AFTER_MS
}

/** Removes what crashed processes left in a folder. What cannot be removed stays: it is never listed, and costs room only. */
export function removeAbandoned(folder: string, nowMs: number): void {
  for (const name of readdirSync(folder)) {
    if (!NAME.test(name)) continue
    const path = `${folder}/${name}`
    try {
      // The change time: the modification time of a temporary file may have been set long ago on purpose.
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat !== undefined && isAbandoned(name, stat.ctimeMs, nowMs)) unlinkSync(path)
    } catch (error) {
      if (!isErrno(error)) throw error
    }
  }
}
