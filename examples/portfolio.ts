/** What a portfolio is worth, at the mid of live quotes: node examples/portfolio.ts [url] [--count n] */
import { parseArgs } from 'node:util'
import { connect } from '@tickwire/client'

const { values, positionals } = parseArgs({ options: { count: { type: 'string' } }, allowPositionals: true })
const client = connect({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
let left = Number(values.count ?? Infinity)

/** Yours: what you hold, how much of it, what you paid for one. */
const POSITIONS = [
  { instrument: 'BTC-USDT', quantity: 0.35, paid: 91_250 },
  { instrument: 'ETH-USDT', quantity: 4, paid: 3_480 },
  { instrument: 'SOL-USDT', quantity: 60, paid: 148.2 }
]
const prices = new Map<string, number>()

const money = (amount: number): string => amount.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const row = (...[name, ...numbers]: string[]): string => name!.padEnd(10) + numbers.map((text) => text.padStart(14)).join('')

function show(): void {
  let worth = 0
  let cost = 0
  console.log(row('', 'quantity', 'price', 'value', 'gain'))
  for (const { instrument, quantity, paid } of POSITIONS) {
    const price = prices.get(instrument)
    if (price === undefined) {
      console.log(row(instrument, String(quantity), 'no price'))
      continue
    }
    worth += quantity * price
    cost += quantity * paid
    console.log(row(instrument, String(quantity), money(price), money(quantity * price), money(quantity * (price - paid))))
  }
  console.log(row(prices.size < POSITIONS.length ? 'so far' : 'total', '', '', money(worth), money(worth - cost)), '\n')
  if (--left <= 0) client.close()
}

let due: NodeJS.Timeout | undefined
client.on('state', ({ phase, reason }) => {
  console.error(reason)
  if (phase === 'closed') clearTimeout(due)
})
client.subscribe(
  POSITIONS.map(({ instrument }) => `quote:${instrument}`),
  (event) => {
    if (event.type !== 'quote') return
    prices.set(event.instrument, (event.bid + event.ask) / 2)
    // What changes within a second is one table.
    due ??= setTimeout(() => {
      due = undefined
      show()
    }, 1_000)
  },
  { contract: { delivery: 'sampled', interval: 1_000 } }
)
process.once('SIGINT', client.close)
