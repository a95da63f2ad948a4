/**
 * A stream processed as it comes: of every so many trades of each symbol their number, volume, range and average price by volume.
 *   node examples/aggregate.ts [url] [--every 50] [--count n]
 */
import { parseArgs } from 'node:util'
import { DataStream, type StreamMessage } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: { count: { type: 'string' }, every: { type: 'string', default: '50' } },
  allowPositionals: true
})
const stream = new DataStream({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
const every = Number(values.every)
let left = Number(values.count ?? Infinity)

type Sum = { trades: number; volume: number; value: number; low: number; high: number }
const sums = new Map<string, Sum>()

function add({ symbol, price, volume }: StreamMessage): void {
  if (left <= 0) return
  const sum = sums.get(symbol) ?? { trades: 0, volume: 0, value: 0, low: Infinity, high: -Infinity }
  sum.trades++
  sum.volume += volume
  sum.value += price * volume
  sum.low = Math.min(sum.low, price)
  sum.high = Math.max(sum.high, price)
  sums.set(symbol, sum)
  if (sum.trades < every) return
  sums.delete(symbol)
  const average = (sum.value / sum.volume).toFixed(2)
  console.log(`${symbol}: ${sum.trades} trades, volume ${sum.volume.toFixed(4)}, ${sum.low} to ${sum.high}, average ${average}`)
  if (--left <= 0) subscription.close()
}

// A sum over a hole would be wrong: the symbol begins anew.
stream.on('reset', () => sums.clear())
stream.on('lost', () => sums.clear())
const subscription = stream.streamMany(['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], add, { type: 'trade' })
process.once('SIGINT', subscription.close)
await subscription.ended
await stream.disconnectStreams()
