const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy

/**
 * Parses a duration as Go writes it: decimal numbers with a unit each, as in `1m30s`, `1.5h` or `250ms`; also `0`.
 * Returns milliseconds, with a fraction if need be, or undefined for anything else. No sign: nothing here is negative.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  let totalMs = 0
  let end = 0
  for (const part of text.matchAll(PART)) {
    totalMs += Number(part[1]) * (MS_PER_UNIT[part[2] ?? ''] ?? Number.NaN)
    end = part.index + part[0].length
  }
  return end === text.length && end > 0 && Number.isFinite(totalMs) ? totalMs : undefined
}
