/**
 * Turns one JSON log line into `time=… level=info msg="…" key=value`, with a line feed at the end.
 * Text is quoted only where a space, a quote, an equals sign or a control character makes it ambiguous.
 */
export function formatTextLine(jsonLine: string, hasTime: boolean): string {
  const line: Record<string, unknown> = JSON.parse(jsonLine)
  const { time, level, msg, err, ...fields } = line
  const parts = hasTime ? [`time=${String(time)}`] : []
  parts.push(`level=${String(level)}`, `msg=${JSON.stringify(msg ?? '')}`)
  for (const [key, value] of Object.entries(fields)) parts.push(`${key}=${formatValue(value)}`)
  if (typeof err === 'object' && err !== null) parts.push(...formatError(Object.entries(err)))
  return `${parts.join(' ')}\n`
}

function formatError(fields: readonly [string, unknown][]): string[] {
  return fields.map(([key, value]) => `${key === 'message' ? 'err' : key}=${formatValue(value)}`)
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)
}
