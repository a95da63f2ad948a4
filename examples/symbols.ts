/** Crypto and shares over one connection, one callback for all: node examples/symbols.ts [url] [--symbols BTCUSDT,AAPL] [--count n] */
import { parseArgs } from 'node:util'
import { DataStream } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: { count: { type: 'string' }, symbols: { type: 'string', default: 'BTCUSDT,ETHUSDT,AAPL,GOOGL' } },
  allowPositionals: true
})
const stream = new DataStream({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
let left = Number(values.count ?? Infinity)

// A symbol that is refused does not end the others.
stream.on('error', ({ message }) => console.error(message))
stream.on('failover', ({ reason }) => console.error(reason))

const subscription = stream.streamMany(values.symbols.split(','), ({ symbol, price, provider }) => {
  if (left-- > 0) console.log(`${symbol}: $${price.toFixed(2)} (${provider})`)
  if (left <= 0) subscription.close()
})
process.once('SIGINT', subscription.close)
await subscription.ended
await stream.disconnectStreams()
