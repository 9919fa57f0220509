import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

/** Wall time in ms of `cp` of a file and the wait until the copy is on the disk: what any tool has to do at least. */
export function copyAndSyncMs(from, to) {
  const startMs = performance.now()
  const done = spawnSync('sh', ['-c', 'cp "$1" "$2" && sync "$2"', 'sh', from, to], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`cp ended with ${done.status}: ${done.stderr}`)
  const wallMs = performance.now() - startMs
  rmSync(to)
  return wallMs
}
