import type { CommandContext } from './context.ts'
import { formatBytes } from './table.ts'

const REDRAW_MS = 100
const WIDTH = 30

/** A bar on stderr that shows how far a restore is. Shows nothing where stderr is no terminal. */
export class ProgressBar {
  readonly #context: CommandContext
  #drawnAtMs = Number.NEGATIVE_INFINITY
  #isShown = false

  constructor(context: CommandContext) {
    this.#context = context
  }

  /** Shows that `done` of `total` bytes are there. At most ten times a second. */
  update(done: number, total: number): void {
    const nowMs = performance.now()
    if (!this.#context.stderr.isTTY || nowMs - this.#drawnAtMs < REDRAW_MS) return
    this.#drawnAtMs = nowMs
    this.#isShown = true
    const share = total > 0 ? Math.min(done / total, 1) : 0
    const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')
    const percent = `${Math.floor(share * 100)}%`.padStart(4)
    this.#context.stderr.write(`\r\u001B[K[${bar}] ${percent} of ${formatBytes(total)}`)
  }

  /** Wipes the bar away. */
  clear(): void {
    if (this.#isShown) this.#context.stderr.write('\r\u001B[K')
    this.#isShown = false
  }
}
