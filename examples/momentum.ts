/**
 * A simple momentum signal over several instruments, with callbacks: node examples/momentum.ts [url] [--count n]
 * Two exponential means of the mid price; when the fast one crosses the slow one, it says so. An illustration, not advice.
 */
import { parseArgs } from 'node:util'
import { connect, type Published } from '@tickwire/client'

const { values, positionals } = parseArgs({ options: { count: { type: 'string' } }, allowPositionals: true })
const client = connect({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
let left = Number(values.count ?? Infinity)

const FAST = 2 / (12 + 1)
const SLOW = 2 / (26 + 1)
type Means = { fast: number; slow: number; signal: 'up' | 'down' | 'none' }
const means = new Map<string, Means>()

function follow(event: Published): void {
  if (event.type !== 'quote' || left <= 0) return
  const mid = (event.bid + event.ask) / 2
  const mean = means.get(event.instrument) ?? { fast: mid, slow: mid, signal: 'none' }
  mean.fast += FAST * (mid - mean.fast)
  mean.slow += SLOW * (mid - mean.slow)
  const signal = mean.fast > mean.slow ? 'up' : mean.fast < mean.slow ? 'down' : 'none'
  if (signal !== mean.signal) console.log(`${event.instrument} ${mid.toFixed(2)} momentum ${mean.signal} → ${signal}`)
  means.set(event.instrument, { ...mean, signal })
  if (--left <= 0) client.close()
}

// A mean that runs over a hole is wrong: begin it anew.
client.on('reset', ({ topic, reason }) => {
  console.log(reason)
  means.delete(topic.slice('quote:'.length))
})
client.on('status', ({ reason }) => console.log(reason))
client.on('state', ({ reason }) => console.log(reason))
process.once('SIGINT', client.close)
client.subscribe(['quote:BTC-USDT', 'quote:ETH-USDT', 'quote:SOL-USDT'], follow)
