import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * Eight bytes that are the same for as long as this machine runs, and others after it was started again.
 *
 * A crash of the machine may take back writes that no fsync confirmed; what was read from a WAL before it proves
 * less afterwards. Where the kernel gives no id, the time of the start, to 10 s, stands in; a change of the clock
 * then looks like a restart, which costs a snapshot and loses nothing.
 */
export function readBootID(): Uint8Array {
  return createHash('sha256').update(bootText()).digest().subarray(0, 8)
}

function bootText(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return String(Math.round((Date.now() / 1000 - uptime()) / 10))
  }
}
