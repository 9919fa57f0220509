// Levenshtein's distance, one row at a time.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The name that `text` was probably meant to be: at most 2 letters off, and not made of other letters altogether. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = 3
  for (const name of names) {
    const off = distance(text.toLowerCase(), name)
    if (off < least && off < name.length) {
      nearest = name
      least = off
    }
  }
  return nearest
}
