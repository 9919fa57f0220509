/** Names of the metadata entry that holds a file's time: both are written, either is read. */
const NAMES = ['litestream-timestamp', 'replicate-timestamp'] as const

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i

/** RFC 3339 in UTC, without the zeros at the end of the fraction: the form that Go writes. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z')
}

/** The ms since the Unix epoch that RFC 3339 text names, any offset, fractions of a ms cut; undefined for other text. */
export function parseTime(text: string): number | undefined {
  if (!RFC3339.test(text)) return undefined
  const timeMs = Date.parse(text.toUpperCase())
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** The metadata of a file with this time. */
export function metadataOfTime(timeMs: number): Record<string, string> {
  const text = formatTime(timeMs)
  return Object.fromEntries(NAMES.map((name) => [name, text]))
}

/** The time in an object's metadata; undefined when there is none that can be read. */
export function timeOfMetadata(metadata: Readonly<Record<string, string>> | undefined): number | undefined {
  for (const name of NAMES) {
    const text = metadata?.[name]
    const timeMs = text === undefined ? undefined : parseTime(text)
    if (timeMs !== undefined) return timeMs
  }
  return undefined
}
