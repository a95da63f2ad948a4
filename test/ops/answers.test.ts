/** The document of REST held to what REST answers: the demo is asked every GET that it names, for what the demo has. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, until, type Program } from '../e2e/program.ts'

type Json = { [key: string]: any }
let program: Program
let base: string
let document: Json
const getJson = async (path: string): Promise<Json> => (await (await fetch(`${base}${path}`)).json()) as Json

beforeAll(async () => {
  program = await run(['--demo', '--port', '0', '--set', 'street.control=0', '--set', 'auth.store='], /Tickwire {2}(http:\S+)/)
  base = program.found[1]!
  await until('a price of each kind of market', async () => {
    const { last } = await getJson('/v1/last?topics=ticker:AAPL,ticker:BTC-USDT,trade:AAPL,book:BTC-USDT')
    return Object.values(last ?? {}).filter((event) => event !== null).length === 4
  })
  await fetch(`${base}/api/websocket/subscribe?symbols=AAPL,BTC-USDT&data_type=SymbolUpdate`, { method: 'POST' })
  document = await getJson('/openapi.json')
})
afterAll(() => program?.kill('SIGKILL'))

/** A stream, and pages: nothing of theirs is one JSON value. */
const OTHERS = /^\/(?:v1\/events$|docs|metrics$|$|.*\.(?:html|js|css|svg|png|json|ya?ml)$)/
const INSTRUMENTS = ['AAPL', 'BTC-USDT', 'BTC-USD', 'ZZZZ']
const DATA_TYPES = ['SymbolUpdate', 'DepthUpdate', 'NoUpdate']
/** What an address needs, where anything is needed. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '/v1/last': ['topics=trade:BTC-USDT,ticker:AAPL,candle:BTC-USDT:1m,nope', 'topics=nope', 'topics=trade:AAPL&bogus=1', ''],
  '/v1/instruments': ['q=btc', ''],
  '/v1/news': ['limit=3', 'instrument=AAPL', 'limit=x'],
  '/v1/books': ['', 'instrument=BTC-USDT&provider=kraken', 'provider=nobody'],
  '/v1/confidence': ['', 'provider=kraken&class=trade'],
  '/udf/symbols': ['symbol=AAPL', 'symbol=ZZZZ', ''],
  '/udf/search': ['query=btc&limit=3', ''],
  '/udf/history': ['symbol=BTC-USDT&resolution=1&from=0&to=9999999999&countback=5', 'symbol=ZZZZ', ''],
  '/udf/quotes': ['symbols=AAPL,BTC-USDT', ''],
  '/udf/marks': ['symbol=AAPL&from=0&to=9999999999&resolution=1', ''],
  '/udf/timescale_marks': ['symbol=AAPL&from=0&to=9999999999&resolution=1', '']
}

function* questions(): Generator<[path: string, url: string, responses: Json]> {
  for (const [path, methods] of Object.entries(document['paths'] as Json)) {
    if (!methods.get || OTHERS.test(path)) continue
    const places = path.includes('/data/{*}') ? DATA_TYPES : path.includes('{') ? INSTRUMENTS : ['']
    for (const place of places)
      for (const query of QUERIES[path] ?? [''])
        yield [path, `${path.replace(/\{[^}]+\}/, place)}${query && '?'}${query}`, methods.get.responses]
  }
}

test('[S1-74] every GET answers with a status of the document, and with a body of its schema', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const wrong: string[] = []
  const seen: Record<string, number> = {}
  for (const [path, url, responses] of questions()) {
    const answer = await fetch(`${base}${url}`)
    const said = responses[answer.status] ?? responses['default']
    const schema = said?.content?.['application/json']?.schema
    const body: unknown = await answer.json()
    seen[answer.status] = (seen[answer.status] ?? 0) + 1
    if (schema === undefined) wrong.push(`${path}: ${answer.status} is not in the document, or without a schema (${url})`)
    else if (answer.status === 200 && Object.keys(schema).length === 0 && !path.startsWith('/emulate/'))
      wrong.push(`${path}: its schema says nothing`)
    else if (!ajv.validate(schema, body)) wrong.push(`${url}: ${ajv.errorsText()} ${JSON.stringify(ajv.errors?.[0]?.params)}`)
  }
  expect(wrong).toEqual([])
  expect(seen[200]).toBeGreaterThan(60)
  expect(seen[400]).toBeGreaterThan(4)
  expect(seen[404]).toBeGreaterThan(6)
  expect(seen[503]).toBeGreaterThan(6)
})

test('[S0-17] every stock of the demo has a volume of the day, by ticker and by overview', async () => {
  for (const stock of ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY'])
    await until(`the volume of ${stock}`, async () => {
      const { volume } = await getJson(`/v1/tickers/${stock}`)
      return volume > 0
    })
})
