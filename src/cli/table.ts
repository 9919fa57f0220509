/** Formats rows under a header with columns two spaces apart. Every line ends with a line feed. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const format = (line: readonly string[]): string => {
    return line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  }
  return lines.map((line) => `${format(line)}\n`).join('')
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** A size for people, in steps of 1,000: `512 B`, `4.1 KB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${UNITS[unit]}`
}

/** An instant as RFC 3339 in UTC. Milliseconds are shown only where there are some. */
export function formatTimestamp(timestampMs: number): string {
  return new Date(timestampMs).toISOString().replace('.000Z', 'Z')
}
