/**
 * Four streams on one connection; after five messages of quotes their subscription ends and the others go on.
 *   node examples/fiml-advanced.ts [--url ws://localhost:8000] [--symbols AAPL,BTC-USD] [--count n]
 */
import { connect, print, readArguments, run } from './fiml-connection.ts'

const { url, symbols, count } = readArguments()

async function advanced(): Promise<void> {
  const { send, messages } = connect(
    url,
    '/ws/stream',
    { stream_type: 'price', symbols, interval_ms: 1_000 },
    { stream_type: 'ohlcv', symbols, interval_ms: 1_000, params: { interval: '1m' } },
    { stream_type: 'quote', symbols, interval_ms: 500 },
    { stream_type: 'trades', symbols, interval_ms: 100 }
  )
  let quotes = 0
  for await (const message of messages) {
    if (print(message)) return
    if (message.type === 'data' && message.stream_type === 'quote' && ++quotes === 5)
      send({ type: 'unsubscribe', stream_type: 'quote', symbols: null })
  }
}
await run(advanced, count)
