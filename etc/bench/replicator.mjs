import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url))
const TICKS_PER_SECOND = 100

/** Runs a command of ours and resolves with its wall time in ms and its peak memory in MB. */
export async function runCommand(args) {
  const startMs = performance.now()
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  let peakMB = 0
  const probe = setInterval(() => (peakMB = Math.max(peakMB, peakMemoryMB(child.pid))), 20)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(probe)
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`)
  return { wallMs: performance.now() - startMs, peakMB }
}

/** A daemon of ours, replicating `path` into the file replica `folder`. */
export class Replicator {
  #child

  constructor(path, folder) {
    this.folder = join(folder, 'ltx', '0')
    this.#child = spawn(process.execPath, [MAIN, 'replicate', path, `file://${folder}`], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
  }

  /** Resolves once the replica holds its first file. */
  async ready() {
    while (this.files().length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  files() {
    return existsSync(this.folder) ? readdirSync(this.folder).filter((name) => name.endsWith('.ltx')) : []
  }

  /** CPU time used so far, in ms; NaN where the system does not tell. */
  cpuMs() {
    return cpuMs(this.#child.pid)
  }

  peakMB() {
    return peakMemoryMB(this.#child.pid)
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
  }
}

function cpuMs(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

function peakMemoryMB(pid) {
  try {
    return (
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
    )
  } catch {
    return 0
  }
}
