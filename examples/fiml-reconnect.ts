/**
 * Comes back after every break, with growing random pauses, and subscribes anew: stop the server and start it again.
 *   node examples/fiml-reconnect.ts [--url ws://localhost:8000] [--symbols AAPL,BTC-USD] [--count n]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, print, readArguments, run, stop, Trouble } from './fiml-connection.ts'

const { url, symbols, count } = readArguments()

async function reconnect(): Promise<void> {
  let attempt = 0
  while (true) {
    let atLeast = 0
    try {
      for await (const message of connect(url, '/ws/stream', { stream_type: 'price', symbols, interval_ms: 500 }).messages) {
        if (message.type === 'subscription_ack') {
          if (attempt > 0) console.log(`Back at attempt ${attempt}.`)
          attempt = 0
        }
        // A server that shuts down says when it will be back.
        if (message.type === 'error') atLeast = message.details?.retry_after_ms ?? 0
        if (print(message)) return
      }
      return
    } catch (error) {
      // Codes from 4500 mean: refused for good.
      if (!(error instanceof Trouble) || error.code >= 4_500) throw error
      const pause = atLeast + Math.random() * Math.min(30_000, 1_000 * 2 ** attempt)
      console.log(`${error.message} Attempt ${++attempt} in ${(pause / 1_000).toFixed(1)} s.`)
      await sleep(pause, undefined, { signal: stop.signal })
    }
  }
}
await run(reconnect, count)
