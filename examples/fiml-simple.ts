/** Prices by address alone, nothing has to be sent: node examples/fiml-simple.ts [--url ws://localhost:8000] [--symbols AAPL,BTC-USD] [--count n] */
import { connect, print, readArguments, run } from './fiml-connection.ts'

const { url, symbols, count } = readArguments()

async function simple(): Promise<void> {
  const { messages } = connect(url, `/ws/prices/${symbols.join(',')}?interval_ms=500`)
  for await (const message of messages) if (print(message)) return
}
await run(simple, count)
