/** The names nearest to a misspelt one: by edit distance, with a preference for those that begin alike. */
import { distance } from '../nearest.ts'

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
