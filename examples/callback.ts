/** Prices by callback, for ten seconds: node examples/callback.ts [url] [--count n] [--seconds 10] */
import { parseArgs } from 'node:util'
import { DataStream } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: { count: { type: 'string' }, seconds: { type: 'string', default: '10' } },
  allowPositionals: true
})
const stream = new DataStream({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
let left = Number(values.count ?? Infinity)

const subscription = stream.subscribe('BTCUSDT', ({ symbol, price }) => {
  console.log(`${symbol}: $${price.toFixed(2)}`)
  if (--left <= 0) subscription.close()
})
process.once('SIGINT', subscription.close)
const [result] = await subscription.ready
if (result && !result.ok) console.error(result.message)

const timer = setTimeout(subscription.close, Number(values.seconds) * 1_000)
await subscription.ended
clearTimeout(timer)
await stream.disconnectStreams()
