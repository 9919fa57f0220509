import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isErrno } from './file-errors.ts'

function readOr(read: () => string, otherwise: string): string {
  try {
    return read()
  } catch (error) {
    if (isErrno(error)) return otherwise
    throw error
  }
}

/**
 * Where process ids mean what they mean here, as 8 hex digits: this machine since this boot, in this pid namespace.
 * Elsewhere than on Linux, the host name.
 */
export function pidSpace(): string {
  const boot = readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), '')
  const namespace = readOr(() => readlinkSync('/proc/self/ns/pid'), '')
  return createHash('sha256').update(`${hostname()}\0${boot}\0${namespace}`).digest('hex').slice(0, 8)
}

/**
 * When a process started, in clock ticks since boot, as text: with the pid it names one process for ever. `'0'` where
 * the system does not tell.
 */
export function startOfProcess(pid: number): string {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), '')
  // Field 22 of proc(5) stat; the second, the program's name, may hold spaces and brackets.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}

/** True unless it is certain that the process is gone. */
export function mayBeAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false
    if (!isErrno(error, 'EPERM')) throw error
  }
  const startNow = startOfProcess(pid)
  return startNow === start || startNow === '0' || start === '0'
}
