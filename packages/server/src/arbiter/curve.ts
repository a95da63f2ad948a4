/** A calibration curve: from a raw value to the share of forecasts of such a value that came true. It never falls. */

/** Eleven knots at 0, 0.1, ... 1, straight lines between them. */
export type Curve = Float64Array
const STEPS = 10
export const KNOTS = STEPS + 1

/** What was counted at each knot; a value between two knots counts at both, by its distance. */
export type Counts = { n: Float64Array; hits: Float64Array }
export const openCounts = (): Counts => ({ n: new Float64Array(KNOTS), hits: new Float64Array(KNOTS) })

export function count({ n, hits }: Counts, raw: number, hit: boolean): void {
  const knot = Math.min(STEPS - 1, Math.floor(raw * STEPS))
  const above = raw * STEPS - knot
  n[knot]! += 1 - above
  n[knot + 1]! += above
  if (!hit) return
  hits[knot]! += 1 - above
  hits[knot + 1]! += above
}

export const clear = ({ n, hits }: Counts): void => void (n.fill(0), hits.fill(0))

export function copy(from: Counts, to: Counts): void {
  to.n.set(from.n)
  to.hits.set(from.hits)
}

export function add(from: Counts, to: Counts): void {
  for (let k = 0; k < KNOTS; k++) {
    to.n[k]! += from.n[k]!
    to.hits[k]! += from.hits[k]!
  }
}

export function halve({ n, hits }: Counts): void {
  for (let k = 0; k < KNOTS; k++) {
    n[k]! /= 2
    hits[k]! /= 2
  }
}

export function valueOf(curve: Curve, raw: number): number {
  const knot = Math.min(STEPS - 1, Math.floor(raw * STEPS))
  const above = raw * STEPS - knot
  return curve[knot]! * (1 - above) + curve[knot + 1]! * above
}

/** The share at each knot, drawn to what was to be expected there as by `strength` forecasts, and then made to rise. */
export function fit({ n, hits }: Counts, expected: Curve, strength: number): Curve {
  const curve = new Float64Array(KNOTS)
  let isRising = true
  for (let k = 0; k < KNOTS; k++) {
    curve[k] = (hits[k]! + strength * expected[k]!) / (n[k]! + strength)
    if (k > 0 && curve[k - 1]! > curve[k]!) isRising = false
  }
  if (!isRising) rise(curve, n, strength)
  return curve
}

/** Isotonic regression by pooling adjacent violators: the nearest curve, by weight, that never falls. */
function rise(values: Curve, n: Float64Array, strength: number): void {
  const blocks: { value: number; weight: number; length: number }[] = []
  for (let k = 0; k < KNOTS; k++) {
    let block = { value: values[k]!, weight: n[k]! + strength, length: 1 }
    for (let last = blocks.at(-1); last && last.value > block.value; last = blocks.at(-1)) {
      const weight = last.weight + block.weight
      const value = (last.value * last.weight + block.value * block.weight) / weight
      block = { value, weight, length: last.length + block.length }
      blocks.pop()
    }
    blocks.push(block)
  }
  let at = 0
  for (const { value, length } of blocks) values.fill(value, at, (at += length))
}
