/** The last candles by REST, then the forming one as it changes: node examples/candles.ts [url] [--instrument ETH-USDT] [--interval 1m] [--count n] */
import { parseArgs } from 'node:util'
import { connect, type Candle } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string' },
    instrument: { type: 'string', default: 'ETH-USDT' },
    interval: { type: 'string', default: '1m' }
  },
  allowPositionals: true
})
const url = positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000'
const { instrument, interval } = values

const show = ({ start, open, high, low, close, volume, closed }: Candle): void =>
  console.log(new Date(start).toISOString(), `O ${open} H ${high} L ${low} C ${close} V ${volume}`, closed ? 'closed' : 'forming')

const answer = await fetch(`${url}/v1/candles/${instrument}?interval=${interval}&limit=5`)
if (answer.ok) for (const candle of ((await answer.json()) as { candles: Candle[] }).candles) show(candle)
else console.error(`no history: ${answer.status} ${await answer.text()}`)

const client = connect({ url })
let left = Number(values.count ?? Infinity)
for await (const event of client.events(`candle:${instrument}:${interval}`)) {
  if (event.type === 'candle') show(event)
  if (--left <= 0) break
}
client.close()
