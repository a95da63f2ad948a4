/**
 * Trades of one symbol to one-minute candles, from a journal on disk: reading, unpacking and folding, against the same trades folded
 * from JSON lines and, where DUCKDB names a Python that has it, by DuckDB from the Parquet of an export. One line of JSON: medians of
 * wall time and of CPU time, milliseconds: the latter does not count what others do on the machine. `TRADES` of them, five million unless named.
 */
import { execFileSync } from 'node:child_process'
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Published } from '@tickwire/protocol'
import { TRADES as COLUMNS } from '@tickwire/server/history/csv.ts'
import { candlesOf } from '@tickwire/server/history/recorded.ts'
import { openSink } from '@tickwire/server/history/sink.ts'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { openWriter } from '@tickwire/server/journal/writer.ts'
import { gridOf } from '@tickwire/server/services/sessions.ts'

const COUNT = Number(process.env['TRADES'] ?? 5_000_000)
const ROUNDS = 5
const BEGIN = Date.parse('2026-11-20T00:00Z')
const DAY = 86_400_000
const PIECE = 50_000
const MINUTE = 60_000

type Trade = Extract<Published, { type: 'trade' }>
let state = 1
const chance = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
let price = 95_000
function tradeOf(n: number): Trade {
  price = Math.max(1, Math.round((price + (chance() - 0.5) * 4) * 100) / 100)
  const time = BEGIN + Math.floor((n / COUNT) * DAY)
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 3, published: time + 3 }
  const size = Math.round(chance() * 100_000) / 100_000 + 0.00001
  const side = chance() < 0.5 ? 'buy' : 'sell'
  return { type: 'trade', topic: 'trade:BTC-USDT', seq: n + 1, ...stamp, id: String(17_000_000_000 + n), price, size, side }
}

const directory = mkdtempSync(join(tmpdir(), 'history-'))
const [journal, lines, parquet] = ['journal', 'trades.jsonl', 'trades.parquet'].map((name) => join(directory, name)) as [
  string,
  string,
  string
]

async function prepare(): Promise<void> {
  let now = BEGIN
  const writer = openWriter({ directory: journal, what: ['events'], epoch: 'bench', clock: () => now })
  const file = createWriteStream(lines)
  const sink = await openSink(parquet, 'parquet', COLUMNS)
  for (let at = 0; at < COUNT; at += PIECE) {
    const piece = Array.from({ length: Math.min(PIECE, COUNT - at) }, (_, i) => tradeOf(at + i))
    for (const event of piece) writer.append({ type: 'event', time: (now = event.received), event })
    await writer.flush()
    await sink.write(piece)
    const text = piece.map((trade) => `${JSON.stringify(trade)}\n`).join('')
    await new Promise((resolve) => file.write(text, resolve))
  }
  const { lost } = writer.status()
  if (lost > 0) throw new Error(`${lost} trades were not recorded`)
  await writer.stop()
  await sink.close()
  await new Promise<void>((resolve) => file.end(resolve))
}

async function ours(): Promise<number> {
  const reader = openReader({ directory: journal })
  const span = { from: BEGIN, to: BEGIN + DAY }
  const candles = await candlesOf(reader, { instrument: 'BTC-USDT', interval: '1m', grid: gridOf('1m'), now: Infinity, ...span })
  reader.close()
  return candles.length
}

type Bar = { open: number; high: number; low: number; close: number; volume: number }
async function plain(): Promise<number> {
  const bars = new Map<number, Bar>()
  for await (const line of createInterface({ input: createReadStream(lines) })) {
    const trade = JSON.parse(line) as Trade
    const start = Math.floor(trade.time / MINUTE)
    const bar = bars.get(start)
    if (!bar) {
      bars.set(start, { open: trade.price, high: trade.price, low: trade.price, close: trade.price, volume: trade.size })
      continue
    }
    bar.high = Math.max(bar.high, trade.price)
    bar.low = Math.min(bar.low, trade.price)
    bar.close = trade.price
    bar.volume += trade.size
  }
  return bars.size
}

const QUERY = `
import duckdb, sys, time
duckdb.sql('set enable_progress_bar = false')
times = []
for _ in range(${ROUNDS}):
    begin = time.perf_counter()
    rows = duckdb.sql("""select epoch_ms(time_bucket(interval 1 minute, time)) as start, arg_min(price, seq) as open, max(price) as high,
      min(price) as low, arg_max(price, seq) as close, sum(size) as volume from read_parquet(sys.argv[1]) group by 1 order by 1"""
      .replace("sys.argv[1]", "'" + sys.argv[1] + "'")).fetchall()
    times.append((time.perf_counter() - begin) * 1000)
print(len(rows), sorted(times)[len(times) // 2])
`
const round = (value: number): number => Math.round(value * 10) / 10
const middle = (values: readonly number[]): number => round(values.toSorted((a, b) => a - b)[values.length >> 1]!)
async function median(work: () => Promise<number>, rounds = ROUNDS): Promise<{ candles: number; ms: number; cpu: number }> {
  const [times, cpus]: [number[], number[]] = [[], []]
  let candles = 0
  for (let i = 0; i < rounds; i++) {
    const begin = performance.now()
    const used = process.cpuUsage()
    candles = await work()
    const { user, system } = process.cpuUsage(used)
    times.push(performance.now() - begin)
    cpus.push((user + system) / 1_000)
  }
  return { candles, ms: middle(times), cpu: middle(cpus) }
}

function byDuckDb(): { candles: number; ms: number } | undefined {
  const python = process.env['DUCKDB']
  if (python === undefined) return undefined
  const [candles, ms] = execFileSync(python, ['-c', QUERY, parquet], { encoding: 'utf8' }).trim().split(/\s+/).slice(-2)
  return { candles: Number(candles), ms: round(Number(ms)) }
}

try {
  await prepare()
  const sizes = { parquet: statSync(parquet).size, jsonLines: statSync(lines).size }
  const tickwire = await median(ours)
  const jsonLines = await median(plain, 1)
  console.log(JSON.stringify({ benchmark: 'history', trades: COUNT, tickwire, jsonLines, duckdb: byDuckDb(), bytes: sizes }))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
