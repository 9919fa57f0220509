/**
 * The candidate that `word` was most likely meant to be, or undefined when none is near.
 *
 * Case and leading dashes do not count. The distance is the number of letters inserted, deleted, replaced or swapped
 * with a neighbour; up to a third of the longer word may differ. Ties go to the earlier candidate.
 */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = normalize(word)
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const name = normalize(candidate)
    const distance = editDistance(wanted, name)
    const allowed = Math.floor(Math.max(wanted.length, name.length) / 3)
    if (distance <= allowed && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function normalize(word: string): string {
  return word.replace(/^-+/, '').toLowerCase()
}

/** Optimal string alignment distance, three rows at a time. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let distance = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) distance = Math.min(distance, at(beforeLast, j - 2) + 1)
      row.push(distance)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
