/** The price of Bitcoin as it is traded, in a loop: node examples/quickstart.ts [url] [--count n] */
import { parseArgs } from 'node:util'
import { DataStream } from '@tickwire/client'

const { values, positionals } = parseArgs({ options: { count: { type: 'string' } }, allowPositionals: true })
const stream = new DataStream({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
process.once('SIGINT', () => stream.disconnectStreams())
let left = Number(values.count ?? Infinity)

for await (const { symbol, price, volume, provider } of stream.stream('BTCUSDT')) {
  console.log(`${symbol} ${price} × ${volume} (${provider})`)
  if (--left <= 0) break
}
await stream.disconnectStreams()
