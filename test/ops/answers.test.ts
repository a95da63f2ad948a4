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

/** A stream, and pages: nothing of theirs ends, or is of a schema. */
const OTHERS = /^\/(?:v1\/events$|docs|$|.*\.(?:html|js|css|svg|png|ya?ml)$)/
const INSTRUMENTS = ['AAPL', 'BTC-USDT', 'BTC-USD', 'ZZZZ']
const DATA_TYPES = ['SymbolUpdate', 'DepthUpdate', 'NoUpdate']
/** What is asked beside the examples of the document: answers of other kinds, and refusals. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '/v1/last': ['topics=trade:BTC-USDT,ticker:AAPL,candle:BTC-USDT:1m,nope', 'topics=nope', 'topics=trade:AAPL&bogus=1', ''],
  '/v1/instruments': ['q=btc', ''],
  '/v1/news': ['limit=3', 'instrument=AAPL', 'limit=x'],
  '/v1/candles': ['instrument=AAPL&format=csv'],
  '/v1/trades': ['instrument=AAPL&format=csv'],
  '/v1/books': ['', 'instrument=BTC-USDT&provider=kraken', 'provider=nobody'],
  '/v1/confidence': ['', 'provider=kraken&class=trade'],
  '/udf/symbols': ['symbol=AAPL', 'symbol=ZZZZ', ''],
  '/udf/search': ['query=btc&limit=3', ''],
  '/udf/history': ['symbol=BTC-USDT&resolution=1&from=0&to=9999999999&countback=5', 'symbol=ZZZZ', ''],
  '/udf/quotes': ['symbols=AAPL,BTC-USDT', ''],
  '/udf/marks': ['symbol=AAPL&from=0&to=9999999999&resolution=1', ''],
  '/udf/timescale_marks': ['symbol=AAPL&from=0&to=9999999999&resolution=1', '']
}

type Question = { path: string; url: string; responses: Json; init?: RequestInit; isExample?: true }

function* questions(): Generator<Question> {
  for (const [path, methods] of Object.entries(document['paths'] as Json)) {
    if (!methods.get || OTHERS.test(path) || path.includes('{replay}')) continue
    const places = path.includes('/data/{') ? DATA_TYPES : path.includes('{') ? INSTRUMENTS : ['']
    for (const place of places)
      for (const query of QUERIES[path] ?? [''])
        yield { path, url: `${path.replace(/\{[^}]+\}/, place)}${query && '?'}${query}`, responses: methods.get.responses }
  }
}

/** As somebody asks who has the document alone, but for what only a running server can name. */
function exampleOf(path: string, method: string, named: Json): Question {
  const { parameters = [], requestBody, responses } = document['paths'][path][method] as Json
  const query = new URLSearchParams()
  let url = path
  for (const { name, in: where, required = false, example } of parameters as Json[]) {
    const value = named[name] ?? example
    if (required && value === undefined) throw new Error(`${method} ${path}: ${name} has no example`)
    if (where === 'path') url = url.replace(`{${name}}`, encodeURIComponent(value))
    else if (where === 'query' && value !== undefined) query.set(name, value)
  }
  const init: RequestInit = { method: method.toUpperCase() }
  if (requestBody) {
    init.headers = { 'content-type': 'application/json' }
    const { example, schema } = requestBody.content['application/json']
    init.body = JSON.stringify({ ...(example ?? schema.example ?? schema.examples?.[0]), ...named.body })
  }
  return { path: `${method} ${path}`, url: query.size > 0 ? `${url}?${query}` : url, responses, init, isExample: true }
}

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** What of an answer the document does not say; and the answer. */
async function ask({
  path,
  url,
  responses,
  init = {},
  isExample
}: Question): Promise<{ wrong: string[]; status: number; body: unknown }> {
  const answer = await fetch(`${base}${url}`, init)
  const { status } = answer
  const said = responses[status] ?? responses['default']
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]!
  const isJson = type === 'application/json'
  const text = await answer.text()
  const body: unknown = isJson ? JSON.parse(text) : text
  const schema = said?.content?.[type]?.schema
  const wrong: string[] = []
  const refused = status === 400 || status === 422
  if (schema === undefined) wrong.push(`${path}: ${status} of ${type} is not in the document, or without a schema (${url})`)
  else if (status === 200 && Object.keys(schema).length === 0 && !path.includes('/emulate/'))
    wrong.push(`${path}: its schema says nothing`)
  else if (!ajv.validate(schema, body)) wrong.push(`${url}: ${ajv.errorsText()} ${JSON.stringify(ajv.errors?.[0]?.params)}`)
  if (isExample && refused && !path.includes('/emulate/')) wrong.push(`${path}: its own example is refused: ${text}`)
  return { wrong, status, body }
}

test('[S1-74] every GET answers with a status of the document, and with a body of its type and schema', async () => {
  const wrong: string[] = []
  const seen: Record<string, number> = {}
  for (const question of questions()) {
    const { wrong: more, status } = await ask(question)
    wrong.push(...more)
    seen[status] = (seen[status] ?? 0) + 1
  }
  expect(wrong).toEqual([])
  expect(seen[200]).toBeGreaterThan(60)
  expect(seen[400]).toBeGreaterThan(4)
  expect(seen[404]).toBeGreaterThan(6)
  expect(seen[503]).toBeGreaterThan(6)
})

test('[S1-74] every path and method, asked with the examples of the document, answers as the document says', async () => {
  const run = await until('something that was recorded', async () => (await getJson('/v1/recordings'))['recordings']?.[0]?.run)
  const ordered = await ask(exampleOf('/v1/replays', 'post', { body: { run } }))
  const { replay } = ordered.body as { replay: string }
  const trades = exampleOf('/v1/replays/{replay}/trades/{instrument}', 'get', { replay })
  const first = await until('a trade of the replay', async () => {
    const { wrong, body } = await ask(trades)
    return (wrong.length > 0 || (body as Json)['trades'].length > 0) && { wrong, body }
  })
  const wrong = [...ordered.wrong, ...first.wrong]
  const named = { replay, provider: 'kraken', body: {} }
  let asked = 0
  const all = Object.entries(document['paths'] as Json).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => !OTHERS.test(path) && !path.startsWith('/emulate/') && `${method} ${path}` !== 'post /v1/replays')
      .map((method) => [path, method] as const)
  )
  // What ends things comes last.
  const lastly = ([path, method]: readonly [string, string]) => Number(method === 'delete' || path.endsWith('disconnect'))
  for (const [path, method] of all.toSorted((a, b) => lastly(a) - lastly(b))) {
    wrong.push(...(await ask(exampleOf(path, method, named))).wrong)
    asked++
  }
  expect(wrong).toEqual([])
  expect(asked).toBeGreaterThan(70)
}, 60_000)

test('what is asked in an address or a body is in the document, of the seeds’ routes too', () => {
  const namesOf = (path: string, where: string) =>
    ((document['paths'][path].get ?? document['paths'][path].post).parameters as Json[])
      .filter((each) => each['in'] === where)
      .map(({ name }) => name)
  expect(namesOf('/udf/history', 'query')).toEqual(['symbol', 'from', 'to', 'resolution', 'countback'])
  expect(namesOf('/udf/search', 'query')).toEqual(['query', 'type', 'exchange', 'limit'])
  expect(namesOf('/api/websocket/subscribe', 'query')).toEqual(['symbols', 'data_type', 'lite'])
  expect(namesOf('/api/websocket/symbol/{symbol}', 'path')).toEqual(['symbol'])
  expect(namesOf('/market/overview', 'query')).toEqual(['symbols', 'period_days', 'since_open'])
  expect(document['paths']['/alerts/create'].post.requestBody.content).toHaveProperty('application/json')
  for (const path of ['/metrics', '/udf/time'])
    expect(Object.keys(document['paths'][path].get.responses['200'].content)).toEqual(['text/plain'])
})

test('a stream is of the type that the document names', async () => {
  const { url, responses } = exampleOf('/v1/events', 'get', {})
  const gone = new AbortController()
  const answer = await fetch(`${base}${url}`, { signal: gone.signal })
  expect([answer.status, Object.keys(responses['200'].content)]).toEqual([
    200,
    [answer.headers.get('content-type')!.split(';')[0]]
  ])
  gone.abort()
})

test('[S0-17] every stock of the demo has a volume of the day, by ticker and by overview', async () => {
  for (const stock of ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY'])
    await until(`the volume of ${stock}`, async () => {
      const { volume } = await getJson(`/v1/tickers/${stock}`)
      return volume > 0
    })
})
