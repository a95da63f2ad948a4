/** The last candles by REST, then the forming one as it changes: node examples/candles.ts [url] [--symbol ETHUSDT] [--interval 1m] [--count n] */
import { parseArgs } from 'node:util'
import { DataStream, type Candle, type Interval } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string' },
    symbol: { type: 'string', default: 'ETHUSDT' },
    interval: { type: 'string', default: '1m' }
  },
  allowPositionals: true
})
const url = positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000'
const { symbol } = values
const interval = values.interval as Interval

type Prices = { open?: number; high?: number; low?: number; close?: number; volume?: number; closed?: boolean }
const show = (start: number, { open, high, low, close, volume, closed }: Prices): void =>
  console.log(new Date(start).toISOString(), `O ${open} H ${high} L ${low} C ${close} V ${volume}`, closed ? 'closed' : 'forming')

const answer = await fetch(`${url}/v1/candles/${symbol}?interval=${interval}&limit=5`)
if (answer.ok) for (const candle of ((await answer.json()) as { candles: Candle[] }).candles) show(candle.start, candle)
else console.error(`no history: ${answer.status} ${await answer.text()}`)

const stream = new DataStream({ url })
process.once('SIGINT', () => stream.disconnectStreams())
let left = Number(values.count ?? Infinity)
for await (const candle of stream.stream(symbol, { type: 'kline', interval })) {
  show(candle.timestamp, candle)
  if (--left <= 0) break
}
await stream.disconnectStreams()
