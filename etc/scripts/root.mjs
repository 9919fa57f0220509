import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Absolute path of something in this checkout. */
export function inRoot(...parts) {
  return join(root, ...parts)
}
