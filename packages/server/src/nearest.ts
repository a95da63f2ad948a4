/** The names most like a mistyped one. Pure. */

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost 1 each. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}

/** The `count` candidates nearest to `text`, ignoring case; a shared beginning breaks ties. */
export function nearest(text: string, candidates: readonly string[], count: number): string[] {
  const wanted = text.toLowerCase()
  const shared = (name: string) => {
    let n = 0
    while (n < wanted.length && wanted[n] === name[n]) n++
    return n
  }
  return candidates
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()), start: shared(name.toLowerCase()) }))
    .sort((x, y) => x.far - y.far || y.start - x.start || (x.name < y.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name)
}
