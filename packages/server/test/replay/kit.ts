/** A journal in memory, recordings that are made up, and the wiring of a replay without a configuration. */
import { configSchema } from '../../src/config.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import type { Entry, JournalReader } from '../../src/journal/journal.ts'
import { SILENT } from '../../src/ops/log.ts'
import { providers as adapters } from '../../src/providers/index.ts'
import { createReplay, type ReplayOptions } from '../../src/replay/replay.ts'
import { openReplays, worldOf, type ReplayWiring } from '../../src/replays.ts'
import { feedSettings, type Source } from '../../src/sources.ts'
import { timers } from '../../src/timers.ts'
import type { Published, RecordedRun, Trade } from '@tickwire/protocol'

export const RUN = 'r-1'
export const off = Object.fromEntries(Object.keys(adapters).map((name) => [name, { enabled: false }]))

/** In batches of ten, copied: who plays it writes into it. */
export function journalOf(entries: readonly Entry[], more: Partial<RecordedRun> = {}): JournalReader {
  const times = entries.map(({ time }) => time)
  const events = entries.filter(({ type }) => type === 'event').length
  const run: RecordedRun = {
    run: RUN,
    from: times[0] ?? 0,
    to: times.at(-1) ?? 0,
    what: ['events', 'frames'],
    bytes: 0,
    events,
    frames: entries.length - events,
    open: false,
    damaged: 0,
    cut: 0,
    ...more
  }
  return {
    runs: () => [{ ...run, to: entries.at(-1)?.time ?? run.to }],
    async *read({ what, from = -Infinity, to = Infinity }) {
      const own = entries.filter(({ type, time }) => (type === 'event') === (what === 'events') && time >= from && time < to)
      for (let at = 0; at < own.length; at += 10) yield structuredClone(own.slice(at, at + 10))
    },
    async *trades() {},
    holes: () => Promise.resolve([]),
    close: () => {}
  }
}

export function wiringOf(reader: JournalReader, sources: readonly Source[] = [], more: Partial<ReplayWiring> = {}): ReplayWiring {
  const config = configSchema.parse({ providers: off })
  return {
    sectors: config.sectors,
    reader,
    sources,
    settings: feedSettings(config),
    simulated: true,
    instruments: createInstruments(),
    clock: Date.now,
    log: SILENT,
    ...more
  }
}

/** A replay alone, its output counted; `done` resolves when it stands at its end. */
export function play(wiring: ReplayWiring, order: Partial<ReplayOptions['order']> = {}, more: Partial<ReplayOptions> = {}) {
  const reader = wiring.reader!
  const replay = createReplay({
    replay: 'r1',
    order: { run: RUN, ...order },
    run: reader.runs()[0]!,
    reader,
    openWorld: worldOf(wiring),
    clock: Date.now,
    timers,
    elapsed: () => performance.now(),
    digests: true,
    ...more
  })
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      if (replay.state().phase === 'failed') throw new Error(replay.state().reason)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  return { replay, until, ended: () => until(() => replay.state().phase === 'ended') }
}
export const openAll = openReplays

/** A made-up recording of trades: one each `step` ms, alternating between two instruments. */
export const tradesEvery = (step: number, count: number, start = 1_769_000_000_000): Entry[] =>
  Array.from({ length: count }, (_, i) => {
    const time = start + i * step
    const instrument = i % 2 === 0 ? 'BTC-USDT' : 'ETH-USDT'
    const trade: Trade = {
      type: 'trade',
      provider: 'one',
      instrument,
      time: time - 5,
      received: time,
      id: String(i),
      price: 100 + (i % 7),
      size: 1,
      side: 'buy'
    }
    const event: Published = { ...trade, topic: `trade:${instrument}`, seq: 1 + (i >> 1), published: time }
    return { type: 'event', time, event }
  })
