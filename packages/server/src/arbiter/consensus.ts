/** What the live sources of one instrument say of its price together: a weighted median of those that agree, and why others do not count. */

/** What one source says at an instant. Prices are compared as logarithms, so that basis and distance are shares. */
export type Said = {
  provider: string
  price: number
  /** Milliseconds since it said so, how old the price is, and how long it may be silent before its word does not count. */
  silent: number
  age: number
  oldest: number
  /** Its lasting distance from the others (a logarithm), which is taken off. */
  basis: number
  /** How often its price held, from 0 to 1. */
  trust: number
  /** Why it does not count, whatever its price. */
  out?: Out | undefined
}

/** `off`: too far from the others. */
export type Cause = 'unheard' | 'down' | 'mute' | 'old' | 'frozen' | 'off'
export type Out = { cause: Cause; why: string }
/** `cause`: why it is refused. */
export type Verdict = { provider: string; used: boolean; weight: number; reason: string; cause?: Cause }
export type Opinion = {
  price: number
  toleranceBps: number
  used: number
  sources: number
  /** No majority agrees: the price lies between those that differ, and nobody can say who is right. */
  disputed: boolean
  verdicts: Verdict[]
}

const BPS = 10_000
/** Nobody is refused for less, or believed beyond the other: basis points from the middle. */
export const TOLERANCE = { least: 10, most: 100 } as const
/** Three deviations of a normal distribution, whose MAD is 0.67 of one. */
const REJECT = 3 * 1.4826
/** The lightest source weighs more than half of the heaviest, so that of three no one outweighs the two others. */
const LIGHTEST = 0.6

/** One alone counts fully while it is as young as usual, less as it grows old. */
const weightOf = ({ age, oldest, trust }: Said): number => LIGHTEST + (1 - LIGHTEST) * trust * (1 - Math.min(1, age / oldest))

type Point = { value: number; weight: number }

/** The value with half of the weight on either side; between two when it splits evenly. Equal values are one, so order is nothing. */
export function weightedMedian(points: readonly Point[]): number {
  const sorted = points.toSorted((a, b) => a.value - b.value || a.weight - b.weight)
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  let below = 0
  for (const [i, { value, weight }] of sorted.entries()) {
    below += weight
    if (Math.abs(below - half) <= 1e-9 * half) return (value + (sorted[i + 1]?.value ?? value)) / 2
    if (below > half) return value
  }
  return Number.NaN
}

/** Of two nobody is in the middle: their mean by weight, which does not leap from one to the other as they grow older in turn. */
function middle(points: readonly Point[]): number {
  const [a, b] = points
  if (points.length !== 2 || !a || !b) return weightedMedian(points)
  return (a.value * a.weight + b.value * b.weight) / (a.weight + b.weight)
}

const bps = (logarithm: number): string => `${Math.abs(logarithm * BPS).toFixed(Math.abs(logarithm * BPS) < 10 ? 1 : 0)} bps`
const outOf = ({ out, silent, age, oldest }: Said): Out | undefined =>
  out ?? (silent > oldest ? { cause: 'old', why: `its last price is ${(age / 1_000).toFixed(1)} s old` } : undefined)

/** Nothing when nobody counts: no number is better than an old one. */
export function consensusOf(all: readonly Said[]): Opinion | undefined {
  const live = all.filter((said) => outOf(said) === undefined)
  if (live.length === 0) return undefined
  const points = live.map((said) => ({ value: Math.log(said.price) - said.basis, weight: weightOf(said), said }))
  const center = middle(points)
  const spread = weightedMedian(points.map(({ value, weight }) => ({ value: Math.abs(value - center), weight })))
  const tolerance = Math.min(TOLERANCE.most, Math.max(TOLERANCE.least, REJECT * spread * BPS)) / BPS
  const near = points.filter(({ value }) => Math.abs(value - center) <= tolerance + 1e-12)
  const disputed = near.length * 2 <= points.length
  const used = disputed ? points : near
  const price = Math.exp(middle(used))
  const total = used.reduce((sum, { weight }) => sum + weight, 0)
  const widest = disputed ? Math.max(...points.map(({ value }) => Math.abs(value - Math.log(price)))) : tolerance
  const kept = new Map(used.map((point) => [point.said, point.weight / total]))
  const verdicts = all.map((said) => verdictOf(said, kept.get(said), price, { alone: live.length === 1, disputed, widest }))
  return { price, toleranceBps: widest * BPS, used: used.length, sources: all.length, disputed, verdicts }
}

type Manner = { alone: boolean; disputed: boolean; widest: number }
function verdictOf(said: Said, weight: number | undefined, price: number, { alone, disputed, widest }: Manner): Verdict {
  const { provider, basis } = said
  const off = Math.log(said.price) - basis - Math.log(price)
  const allowed = Math.abs(basis * BPS) >= 1 ? `, its lasting ${bps(basis)} ${basis > 0 ? 'above' : 'below'} allowed for` : ''
  const refuse = ({ cause, why: reason }: Out): Verdict => ({
    provider,
    used: false,
    weight: 0,
    reason: `refused: ${reason}`,
    cause
  })
  const out = outOf(said)
  if (out !== undefined) return refuse(out)
  if (weight === undefined)
    return refuse({ cause: 'off', why: `${bps(off)} ${off > 0 ? 'above' : 'below'} the others, who agree within ${bps(widest)}` })
  const why = alone
    ? 'used: nobody else speaks'
    : disputed
      ? `used, though the sources differ by ${bps(widest)} and no majority agrees`
      : `used: ${bps(off)} from the middle`
  return { provider, used: true, weight, reason: why + allowed }
}
