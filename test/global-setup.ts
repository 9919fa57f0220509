import { buildIfStale } from '../etc/scripts/build-tree.mjs'

/**
 * Builds `dist/` when sources changed, for the tests that run the real command. A fault in the types is printed and
 * does not end the run: a test of one folder is worth running while another folder is in pieces, and `npm test` has
 * the types as a check of its own.
 */
export function setup(): void {
  buildIfStale({ isStrict: false })
}
