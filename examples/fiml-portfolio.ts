/**
 * What is held, at live prices: value, profit and loss of each and of all.
 *   node examples/fiml-portfolio.ts [--url ws://localhost:8000] [--count n]
 */
import { connect, print, readArguments, run } from './fiml-connection.ts'

/** Yours: symbol, quantity, price paid for one. */
const POSITIONS: [string, number, number][] = [
  ['AAPL', 50, 228.4],
  ['NVDA', 120, 141.75],
  ['BTC-USD', 0.35, 91_250],
  ['ETH-USD', 4, 3_480]
]

const { url, count } = readArguments()

async function portfolio(): Promise<void> {
  let left = count
  const prices = new Map<string, number>()
  const held = POSITIONS.map(([symbol]) => symbol)
  for await (const message of connect(url, '/ws/stream', { stream_type: 'price', symbols: held, interval_ms: 1_000 }).messages) {
    if (message.type !== 'data' || message.stream_type !== 'price') {
      print(message)
      continue
    }
    for (const { symbol, price } of message.data) prices.set(symbol, price)
    console.log(`\n${valuation(prices)}`)
    if (--left <= 0) return
  }
}

function valuation(prices: ReadonlyMap<string, number>): string {
  const total = { value: 0, cost: 0 }
  const rows = POSITIONS.map(([symbol, quantity, paid]) => {
    const price = prices.get(symbol)
    if (price === undefined) return line(symbol, String(quantity), money(paid), 'no price')
    total.value += price * quantity
    total.cost += paid * quantity
    return line(symbol, String(quantity), money(paid), money(price), ...result(price * quantity, paid * quantity))
  })
  const head = line('Symbol', 'Quantity', 'Paid', 'Price', 'Value', 'P&L', 'P&L %')
  const name = rows.length === prices.size ? 'Total' : 'So far'
  return [head, ...rows, line(name, '', '', '', ...result(total.value, total.cost))].join('\n')
}

const line = (...cells: string[]) => cells.map((cell, i) => (i === 0 ? cell.padEnd(9) : cell.padStart(13))).join('')
const result = (value: number, cost: number) => [money(value), signed(value - cost), `${signed((value / cost - 1) * 100)} %`]
const money = (value: number) => value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const signed = (value: number) => `${value < 0 ? '' : '+'}${money(value)}`

await run(portfolio)
