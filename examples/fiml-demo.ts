/** A first look at FIML's endpoints, over the one that needs no message: node examples/fiml-demo.ts [--url ws://localhost:8000] [--count n] */
import { parseArgs } from 'node:util'

// The symbols are its own.
const text = { type: 'string' } as const
const { values } = parseArgs({ options: { url: text, count: text, symbols: text } })
const url = values.url ?? process.env['TICKWIRE_URL'] ?? 'ws://localhost:8000'
let left = Number(values.count ?? Infinity)

const ws = new WebSocket(`${url}/ws/prices/AAPL,GOOGL,BTC-USDT`)
let opened = false
let ended = false
const end = () => {
  ended = true
  ws.close(1000)
  // A server that does not answer is not waited for.
  setTimeout(() => process.exit(), 1_000).unref()
}

ws.addEventListener('open', () => (opened = true))
ws.addEventListener('message', ({ data }) => {
  const message = JSON.parse(String(data))
  if (message.type === 'error') console.error(message.message)
  if (message.type !== 'data') return
  for (const { symbol, price, change_percent, provider } of message.data) {
    if (ended) return
    console.log(`${symbol}: $${price} (${change_percent?.toFixed(2) ?? '–'} % on the day, ${provider})`)
    if (--left <= 0) end()
  }
})
ws.addEventListener('close', ({ code }) => {
  if (ended) return
  console.error(opened ? `${url} ended the connection (${code}).` : `${url} cannot be reached. Is it running? npm start`)
  process.exitCode = 1
})
process.on('SIGINT', end)
