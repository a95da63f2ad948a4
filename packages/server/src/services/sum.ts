/** Exact sums of doubles (Shewchuk's expansions), so that a volume does not depend on the order in which trades came. */

/** What a sum is made of: doubles that do not overlap, smallest first. Empty is 0. */
export type Sum = number[]

/** Adds in place. Each step splits x + part into its rounded value and the exact rest. */
export function add(sum: Sum, value: number): void {
  let x = value
  let kept = 0
  for (let i = 0; i < sum.length; i++) {
    const part = sum[i]!
    const large = Math.abs(x) < Math.abs(part) ? part : x
    const small = large === x ? part : x
    const rounded = large + small
    const rest = small - (rounded - large)
    if (rest !== 0) sum[kept++] = rest
    x = rounded
  }
  sum[kept] = x
  sum.length = kept + 1
}

/** The double nearest to the exact sum, then cut to fifteen digits: all that a double keeps of a decimal, so 0.1 and 0.2 are 0.3. */
export function total(sum: Sum): number {
  let i = sum.length - 1
  let value = sum[i] ?? 0
  let rest = 0
  while (i > 0 && rest === 0) {
    const part = sum[--i]!
    const next = value + part
    rest = part - (next - value)
    value = next
  }
  // Halfway between two doubles, the parts not yet looked at decide.
  const below = i > 0 ? sum[i - 1]! : 0
  if (rest * below > 0) {
    const next = value + rest * 2
    if (next - value === rest * 2) value = next
  }
  return Number(value.toPrecision(15))
}
