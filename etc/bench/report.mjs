import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `work` in a folder that is removed afterwards. */
export async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'replicate-bench-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The value below which `share` of `values` lie. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** The middle of `values`. */
export function median(values) {
  return percentile(values, 0.5)
}

/** Prints rows of name and figure, aligned. */
export function printRows(title, rows) {
  console.log(title)
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, figure] of rows) console.log(`  ${name.padEnd(width)}  ${figure}`)
}

export const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`
export const times = (value) => `${value.toFixed(2)} ×`
