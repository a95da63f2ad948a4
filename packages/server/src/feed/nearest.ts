/** The names nearest to a misspelt one: by edit distance, with a preference for those that begin alike. */

const COUNT = 5

/** `names` are pairs of a name and the form of it that is compared. */
export function nearestNames(typed: string, names: readonly (readonly [name: string, form: string])[]): string[] {
  const scored: { name: string; score: number }[] = []
  const worst = Math.max(2, Math.ceil(typed.length / 2))
  for (const [name, form] of names) {
    const prefix = form.startsWith(typed) || typed.startsWith(form)
    // A prefix match costs less the more of the name it covers; it stands before any misspelling of two letters.
    const score = prefix ? Math.abs(form.length - typed.length) / 8 : distance(typed, form) - common(typed, form) / 8
    if (prefix || score <= worst) scored.push({ name, score })
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
  return scored.slice(0, COUNT).map(({ name }) => name)
}

function common(a: string, b: string): number {
  let n = 0
  while (n < a.length && a[n] === b[n]) n++
  return n
}

/** Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
