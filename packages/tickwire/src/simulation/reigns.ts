/** Whose the arbitrated trades are, seen from outside: no time is told of by two providers, and no candle is whole over an open gap. Pure. */
import type { Candle, Gap, GapFilled, Published, Trade } from '@tickwire/protocol'

/** What one provider told without a break: live while it led, or in one answer. */
type Stretch = { provider: string; from: number; to: number; live: boolean; received: number }
type Span = { from: number; to: number }

const KEEP = 500

export function createReigns() {
  const stretches = new Map<string, Stretch[]>()
  const switched = new Map<string, number>()
  /** Where something was lost the stretch that was live ends. */
  const broken = new Set<string>()
  const gaps = new Map<string, Map<string, Span[]>>()

  /** What is wrong with a trade of the arbitrated stream. */
  const trade = ({ instrument, provider, time, backfill, received, published }: Published<Trade>): string | undefined => {
    const all = stretches.get(instrument) ?? []
    stretches.set(instrument, all)
    // At a failover what the standby heard since the leader's last word goes out: the two may overlap by what is on its way.
    const bridged = switched.get(instrument) === published
    const other = all.find((each) => each.provider !== provider && each.from < time && time < each.to)
    const last = all.findLast((each) => each.provider === provider && each.live === !backfill)
    const newest = all.findLast(({ live }) => live)
    const between = ({ from, to, provider: who }: Stretch) =>
      who !== provider && last && from < Math.max(last.to, time) && to > Math.min(last.from, time)
    const goesOn = backfill ? last?.received === received && !all.some(between) : last === newest && !broken.has(instrument)
    if (!backfill) broken.delete(instrument)
    if (last && goesOn && !(backfill && bridged)) {
      // A clock that is set back changes nothing of what was told.
      if (backfill) last.from = Math.min(last.from, time)
      last.to = Math.max(last.to, time)
    } else if (!backfill || !bridged) all.push({ provider, from: time, to: time, live: !backfill, received })
    if (all.length > KEEP) all.shift()
    if (!backfill || bridged || !other) return undefined
    return `a past trade of ${provider} at ${time} lies in what ${other.provider} told of ${instrument} (${other.from} to ${other.to})`
  }

  const gap = (event: Gap | GapFilled): void => {
    if (event.own || event.kind !== 'trade') return
    const open = gaps.get(event.instrument) ?? new Map<string, Span[]>()
    gaps.set(event.instrument, open)
    if (event.type === 'gap') broken.add(event.instrument)
    if (event.type === 'gap')
      return void open.set(event.id ?? '', [{ from: event.from, to: event.lasting ? Infinity : event.to }])
    const { from, to } = event
    const rest = (open.get(event.gap) ?? []).flatMap((span) => [
      { from: span.from, to: Math.min(span.to, from) },
      { from: Math.max(span.from, to), to: span.to }
    ])
    open.set(
      event.gap,
      rest.filter((span) => span.to > span.from)
    )
  }

  return {
    published(event: Published): string | undefined {
      if (event.type === 'status' && event.kind === 'trade') switched.set(event.instrument, event.published)
      if (event.topic === `trade:${event.instrument}` && event.type === 'trade') return trade(event)
      if (event.type === 'gap' || event.type === 'gap_filled') gap(event)
      return event.type === 'candle' && !event.topic.includes('@') ? claim(event) : undefined
    }
  }

  /** What is wrong with what a candle says that it knows. */
  function claim({
    instrument,
    start,
    end = start + 60_000,
    interval,
    coverage,
    published
  }: Published<Candle>): string | undefined {
    if (interval !== '1m' || coverage !== 1) return undefined
    const until = Math.min(end, published)
    const missing = [...(gaps.get(instrument)?.values() ?? [])].flat().find(({ from, to }) => from < until && to > start)
    return (
      missing && `the candle of ${instrument} at ${start} says that it is whole, and ${missing.from} to ${missing.to} is open`
    )
  }
}
