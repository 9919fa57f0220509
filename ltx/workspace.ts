import { allocateByteBlock, type ByteBlock } from './byte-block.ts'
import { MAX_PAGE_SIZE_BYTES } from './constants.ts'

/** Memory that an encoder works in. */
export interface Workspace {
  /** One page. */
  readonly page: ByteBlock
  /** Output that has not been given away yet. */
  readonly out: ByteBlock
}

/** Size of the output in a workspace: one write of it is cheap beside its system call. */
export const OUTPUT_BYTES: number = 128 * 1024

// Fresh memory costs a file of a single commit half as much again as all of its work.
const MAX_IDLE = 4
const idle: Workspace[] = []

/** A workspace of one's own; its contents are arbitrary. */
export function takeWorkspace(): Workspace {
  return idle.pop() ?? { page: allocateByteBlock(MAX_PAGE_SIZE_BYTES), out: allocateByteBlock(OUTPUT_BYTES) }
}

/** Gives a workspace back, once; nothing may use it afterwards. One that is not given back is simply collected. */
export function returnWorkspace(workspace: Workspace): void {
  if (idle.length < MAX_IDLE) idle.push(workspace)
}
