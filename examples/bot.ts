/**
 * The pattern of a trading bot, with an alert when a price crosses a threshold. It trades nothing: what it would do stands in one function.
 *   node examples/bot.ts [url] [--symbol BTCUSDT] [--above 50000] [--count n]
 */
import { parseArgs } from 'node:util'
import { DataStream, type StreamMessage } from '@tickwire/client'

const { values, positionals } = parseArgs({
  options: {
    symbol: { type: 'string', default: 'BTCUSDT' },
    above: { type: 'string', default: '50000' },
    count: { type: 'string' }
  },
  allowPositionals: true
})
const threshold = Number(values.above)

class Bot {
  readonly stream = new DataStream({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
  above: boolean | undefined
  left = Number(values.count ?? Infinity)

  async run(): Promise<void> {
    // What a bot must know of its data: who delivers it, and when it cannot be trusted.
    this.stream.on('failover', ({ reason }) => console.error(reason))
    this.stream.on('reconnecting', ({ reason }) => console.error(reason))
    this.stream.on('gap', ({ source }) => console.error(`Data is missing (${source}).`))
    const watching = this.stream.streamMany([values.symbol, 'ETHUSDT', 'AAPL', 'GOOGL'], (message) => this.onPrice(message))
    process.once('SIGINT', watching.close)
    console.error(await watching.ended)
    await this.stream.disconnectStreams()
  }

  onPrice({ symbol, price, confidence = 1 }: StreamMessage): void {
    if (symbol !== values.symbol) return
    // Nothing is done on a price that is probably wrong.
    if (confidence < 0.5) return
    const above = price > threshold
    // The first price crosses nothing: it may have been there for days.
    if (this.above !== undefined && above !== this.above)
      this.alert(`${symbol} crossed ${threshold} ${above ? 'upwards' : 'downwards'}: ${price}`)
    this.above = above
  }

  alert(text: string): void {
    console.log(text)
    if (--this.left <= 0) void this.stream.disconnectStreams()
  }
}

await new Bot().run()
