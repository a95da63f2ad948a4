/**
 * The journal: what it costs to append, in CPU time of all threads and of the main one, beside lines of JSON in a file, by turns; and how
 * fast it is read. Prints one line of JSON. CPU time, so that a busy machine changes less. What fan-out loses beside it: fanout.ts,
 * scenario `recording`.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent, Published } from '@tickwire/protocol'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { openWriter } from '@tickwire/server/journal/writer.ts'

const TIME = 1_767_607_200_000
const EVENTS = 50_000
const ROUNDS = 40
/** Until all code is compiled, which each thread does anew. */
const WARM_UP = 20

const priceOf = (n: number): number => (5_000_000 + ((n * 7_919) % 100_000)) / 100
const sizeOf = (n: number): number => ((n * 104_729) % 1_000_000) / 10_000

function publishedAt(n: number, topics: number): Published {
  const instrument = `S${(n >> 1) % topics}-USDT`
  const common = { provider: 'bench', instrument, time: TIME + n, received: TIME + n + 12, confidence: 0.98 }
  const event: MarketEvent =
    n % 2 === 0
      ? {
          type: 'trade',
          ...common,
          id: String(1_000_000 + n),
          price: priceOf(n),
          size: sizeOf(n),
          side: n % 4 === 0 ? 'buy' : 'sell'
        }
      : { type: 'quote', ...common, bid: priceOf(n), bidSize: sizeOf(n), ask: priceOf(n) + 0.01, askSize: sizeOf(n + 1) }
  return { ...event, topic: `${event.type}:${instrument}`, seq: n + 1, published: TIME + n + 13 }
}

const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN
const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6

/** What anybody would write first: a line of JSON for each, many of them at a time. */
function createLines(directory: string) {
  const file = openSync(join(directory, 'lines.jsonl'), 'w')
  return {
    append(events: readonly Published[]): void {
      for (let at = 0; at < events.length; at += 1_000)
        writeSync(
          file,
          `${events
            .slice(at, at + 1_000)
            .map((event) => JSON.stringify(event))
            .join('\n')}\n`
        )
    },
    close: () => closeSync(file)
  }
}

async function measure(topics: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-bench-'))
  const events = Array.from({ length: EVENTS }, (_, n) => publishedAt(n, topics))
  const writer = openWriter({ directory, what: ['events'], epoch: 'bench' })
  await writer.flush()
  const all: number[] = []
  const main: number[] = []
  const plain: number[] = []
  const lines = createLines(directory)
  for (let round = 0; round < ROUNDS; round++) {
    const [process0, main0] = [process.cpuUsage(), process.threadCpuUsage()]
    for (const event of events) writer.append({ type: 'event', time: event.published, event })
    await writer.flush()
    const [took, onMain] = [process.cpuUsage(process0), process.threadCpuUsage(main0)]
    const before = process.cpuUsage()
    lines.append(events)
    const byLines = process.cpuUsage(before)
    if (round < WARM_UP) continue
    all.push(secondsOf(took))
    main.push(secondsOf(onMain))
    plain.push(secondsOf(byLines))
  }
  lines.close()
  await writer.stop()
  const { bytes, lost } = writer.status()

  const reader = openReader({ directory })
  const before = process.cpuUsage()
  let read = 0
  for await (const batch of reader.read({ run: writer.run, what: 'events' })) read += batch.length
  const reading = secondsOf(process.cpuUsage(before))
  const beforeColumns = process.cpuUsage()
  let trades = 0
  for await (const { count } of reader.trades('S0-USDT', 0, Infinity)) trades += count
  const columns = secondsOf(process.cpuUsage(beforeColumns))
  rmSync(directory, { recursive: true })
  return {
    topics: 2 * topics,
    appendedPerCore: Math.round(EVENTS / median(all)),
    linesPerCore: Math.round(EVENTS / median(plain)),
    ratio: Math.round((median(plain) / median(all)) * 100) / 100,
    mainNanoseconds: Math.round((median(main) / EVENTS) * 1e9),
    bytesPerEvent: Math.round((bytes / (EVENTS * ROUNDS)) * 10) / 10,
    lost,
    readPerCore: Math.round(read / reading),
    tradesOfOne: { trades, milliseconds: Math.round(columns * 1_000) }
  }
}

console.log(JSON.stringify({ benchmark: 'journal', runs: [await measure(1), await measure(250)] }))
