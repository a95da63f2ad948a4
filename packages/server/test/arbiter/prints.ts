/** Prints of several sources through an arbiter that ticks, to ask what is held and what goes on. */
import type { MarketEvent, Quote, Trade } from '@tickwire/protocol'
import { admit, createArbiter, type ArbiterInput } from '../../src/arbiter/arbiter.ts'

export const X = 'BTC-USDT'
export const T0 = 1_700_000_000_000
export const trade = (provider: string, at: number, price: number, more: Partial<Trade> = {}): Trade => ({
  type: 'trade', provider, instrument: X, time: T0 + at, received: T0 + at, id: `${provider}${at}`, price, size: 1, side: 'buy', ...more
}) // prettier-ignore
export const quote = (provider: string, at: number, bid: number, ask: number): Quote => ({
  type: 'quote', provider, instrument: X, time: T0 + at, received: T0 + at, bid, bidSize: 1, ask, askSize: 1
}) // prettier-ignore

export function open(providers: readonly string[], kinds: readonly ('trade' | 'quote')[] = ['trade']) {
  const state = createArbiter({ order: providers })
  const published: { topic: string; event: MarketEvent }[] = []
  const refused: string[] = []
  const give = (input: ArbiterInput) => {
    for (const output of admit(state, input)) {
      if ('refused' in output) refused.push(output.refused)
      else published.push({ topic: output.topic, event: { ...output.event } })
    }
  }
  for (const kind of kinds) for (const provider of providers) give({ type: 'subscribed', now: T0, provider, instrument: X, kind })
  let ticked = 0
  const run = {
    state,
    refused,
    to(at: number) {
      for (; ticked + 100 <= at;) give({ type: 'tick', now: T0 + (ticked += 100) })
      return run
    },
    hear(...events: (Trade | Quote)[]) {
      for (const event of events) {
        run.to(event.received - T0)
        give({ type: 'event', event })
      }
      return run
    },
    /** Steady at a price, so that it is known. */
    steady(price: number, from: number, to: number, ...names: string[]) {
      for (let at = from; at < to; at += 100) for (const name of names) run.hear(trade(name, at, price))
      return run
    },
    on: (topic: string) => published.filter((each) => each.topic === topic).map((each) => each.event),
    prices: () => run.on(`trade:${X}`).map((event) => (event as Trade).price),
    flagged: (provider: string) =>
      run
        .on(`trade:${X}@${provider}`)
        .flatMap((event) => ('quarantined' in event && event.quarantined !== undefined ? [event] : [])),
    causes: () => published.flatMap(({ event }) => (event.type === 'status' ? [`${event.cause} ${event.leader ?? '-'}`] : []))
  }
  return run
}
