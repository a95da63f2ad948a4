/** The trades of Bitcoin as they happen: node examples/quickstart.ts [url] [--count n] */
import { parseArgs } from 'node:util'
import { connect } from '@tickwire/client'

const { values, positionals } = parseArgs({ options: { count: { type: 'string' } }, allowPositionals: true })
const client = connect({ url: positionals[0] ?? process.env['TICKWIRE_URL'] ?? 'http://localhost:8000' })
let left = Number(values.count ?? Infinity)

for await (const event of client.events('trade:BTC-USDT')) {
  if (event.type === 'trade') console.log(`${event.instrument} ${event.price} × ${event.size} (${event.side}, ${event.provider})`)
  if (--left <= 0) break
}
client.close()
