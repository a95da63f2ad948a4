/** A journal in memory, as its readers see one. */
import type { Published, Trade } from '@tickwire/protocol'
import type { Entry, JournalReader, TradeColumns } from '../../src/journal/journal.ts'

export type Run = { run: string; mode?: 'demo' | 'capture'; open?: boolean; events: readonly Published[]; to?: number }
type PublishedTrade = Extract<Published, { type: 'trade' }>

export function columnsOf(trades: readonly (Trade & { seq: number })[]): TradeColumns {
  const column = (of: (trade: Trade & { seq: number }) => number) => Float64Array.from(trades, of)
  const sides = { unknown: 0, buy: 1, sell: 2 }
  return {
    count: trades.length,
    seq: column(({ seq }) => seq),
    time: column(({ time }) => time),
    received: column(({ received }) => received),
    price: column(({ price }) => price),
    size: column(({ size }) => size),
    side: Uint8Array.from(trades, ({ side }) => sides[side]),
    ineligible: Uint8Array.from(trades, ({ ineligible }) => Number(ineligible === true))
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value)
}

const inBatches = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size))

/** `runs` may grow while it is read. */
export function memoryJournal(runs: readonly Run[], batch = 7): JournalReader {
  const entriesOf = ({ events }: Run): Entry[] => events.map((event) => ({ type: 'event', time: event.published, event }))
  return {
    runs: () =>
      runs.map(({ run, mode, open = false, events, to }) => ({
        run,
        ...(mode && { mode }),
        from: events[0]?.published ?? 0,
        to: to ?? events.at(-1)?.published ?? 0,
        what: ['events'],
        bytes: 0,
        events: events.length,
        frames: 0,
        open,
        damaged: 0,
        cut: 0
      })),
    read({ run, from = -Infinity, to = Infinity, topics }) {
      const all = runs.filter((each) => each.run === run).flatMap(entriesOf)
      const wanted = all.filter(
        (entry) => entry.time >= from && entry.time < to && entry.type === 'event' && (!topics || topics.has(entry.event.topic))
      )
      return each(inBatches(wanted, batch))
    },
    trades(instrument, from, to, only) {
      const isWanted = (event: Published): event is PublishedTrade =>
        event.type === 'trade' && event.topic === `trade:${instrument}` && event.time >= from && event.time < to
      const found = runs.filter(({ run }) => only?.has(run) !== false).flatMap(({ events }) => events.filter(isWanted))
      return each(inBatches(found, batch).map((part) => columnsOf(part.toSorted((a, b) => a.time - b.time))))
    },
    holes: () => Promise.resolve([]),
    close: () => {}
  }
}
