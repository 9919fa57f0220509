import { formatLTXFileName } from '../../ltx/index.ts'
import type { LTXFileID } from '../../replica/index.ts'

/** A file of a replica as people read it: level and name. Not its key in a store. */
export function ltxFileText(file: LTXFileID): string {
  return `level ${file.level}, ${formatLTXFileName(file.minTXID, file.maxTXID)}`
}
