/** What is collected whether or not anybody reads it; a part of main.ts. */
import type { Instruments } from './feed/instruments.ts'
import type { Demand } from './gateway/gateway.ts'

/**
 * Asks for the watched instruments on nobody's behalf, so that they are collected whether or not a client is there. `*` is
 * all.
 */
export function collector(watch: readonly string[], demand: Demand, instruments: Instruments) {
  const collected = new Set<string>()
  const collectOne = (instrument: string): void => {
    if (collected.has(instrument)) return
    collected.add(instrument)
    for (const kind of ['trade', 'quote', 'ticker', 'book'] as const) demand({ kind, instrument })
  }
  const named = () => (watch.includes('*') ? instruments.all().map(({ instrument }) => instrument) : watch)
  return {
    /** To be called again whenever a listing came; returns those that nobody lists yet. */
    collect: (): string[] =>
      named().filter((text) => {
        const found = instruments.resolve(text)
        if (found.ok) collectOne(found.instrument)
        return !found.ok
      }),
    /** Canonical ids of those that are listed, in the operator's order. */
    watched: (): string[] => [
      ...new Set(
        named().flatMap((text) => {
          const found = instruments.resolve(text)
          return found.ok ? [found.instrument] : []
        })
      )
    ]
  }
}
