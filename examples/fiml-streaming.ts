/**
 * FIML's streaming endpoints by example, over a plain WebSocket: node examples/fiml-streaming.ts shows a menu;
 * node examples/fiml-streaming.ts portfolio --count 10 --url ws://localhost:8000 runs one at once. Any WebSocket library will do.
 */
import { on } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const EXAMPLES = {
  simple: { title: 'Simple price stream', run: simple },
  advanced: { title: 'Advanced: several streams on one connection', run: advanced },
  reconnect: { title: 'Auto-reconnection', run: reconnect },
  portfolio: { title: 'Portfolio monitoring', run: portfolio }
}
const USAGE = `usage: node examples/fiml-streaming.ts [${Object.keys(EXAMPLES).join(' | ')}]
  --url ws://host:port   the server (default: TICKWIRE_URL, or else ws://localhost:8000)
  --symbols AAPL,BTC-USD what to follow; the portfolio has its own
  --count n              end after n updates, or n valuations of the portfolio`

/** Yours: symbol, quantity, price paid for one. */
const POSITIONS: [string, number, number][] = [
  ['AAPL', 50, 228.4],
  ['NVDA', 120, 141.75],
  ['BTC-USD', 0.35, 91_250],
  ['ETH-USD', 4, 3_480]
]

type Stamp = { symbol: string; timestamp: string; provider: string; confidence: number | null }
type Price = Stamp & { price: number; change: number | null; change_percent: number | null; volume: number | null }
type Candle = Stamp & { open: number; high: number; low: number; close: number; volume: number; is_closed: boolean }
type Quote = Stamp & { bid: number; ask: number; spread: number }
type Trade = Stamp & { price: number; quantity: number; side: 'buy' | 'sell' | null }
type Data =
  | { type: 'data'; stream_type: 'price'; data: Price[] }
  | { type: 'data'; stream_type: 'ohlcv'; data: Candle[] }
  | { type: 'data'; stream_type: 'quote'; data: Quote[] }
  | { type: 'data'; stream_type: 'trades'; data: Trade[] }
type Message =
  | Data
  | { type: 'subscription_ack' | 'unsubscribe_ack'; stream_type: string; symbols: string[] | null; disclaimer?: string }
  | { type: 'error'; error_code: string; message: string; details: { retry_after_ms?: number } | null }
  | { type: 'heartbeat'; active_subscriptions: number }

/** What is told to the user in one line. `code` is the WebSocket's close code, where there was one. */
class Trouble extends Error {
  readonly code: number
  constructor(message: string, code = 0) {
    super(message)
    this.code = code
  }
}

const stop = new AbortController()
const { example, url, symbols, count } = readArguments()
let left = count
/** The disclaimer that was printed already. */
let advice = ''

/** 1. Prices, by address alone: nothing has to be sent. */
async function simple(): Promise<void> {
  const { messages } = connect(`/ws/prices/${symbols.join(',')}?interval_ms=500`)
  for await (const message of messages) if (print(message)) return
}

/** 2. Four streams on one connection; after five messages of quotes their subscription ends and the others go on. */
async function advanced(): Promise<void> {
  const { send, messages } = connect(
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

/** 3. Comes back after every break, with growing random pauses, and subscribes anew. */
async function reconnect(): Promise<void> {
  let attempt = 0
  while (true) {
    let atLeast = 0
    try {
      for await (const message of connect('/ws/stream', { stream_type: 'price', symbols, interval_ms: 500 }).messages) {
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

/** 4. What is held, at live prices: value, profit and loss. */
async function portfolio(): Promise<void> {
  const prices = new Map<string, number>()
  const held = POSITIONS.map(([symbol]) => symbol)
  for await (const message of connect('/ws/stream', { stream_type: 'price', symbols: held, interval_ms: 1_000 }).messages) {
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

/** One connection: subscribes to these once it is open; its messages end with Ctrl-C, and with a Trouble when it breaks. */
function connect(path: string, ...subscriptions: object[]) {
  const ws = new WebSocket(`${url}${path}`)
  const send = (message: object): void => ws.send(JSON.stringify(message))
  const end = { opened: false, code: 0 }
  ws.addEventListener('open', () => {
    end.opened = true
    for (const subscription of subscriptions) send({ type: 'subscribe', ...subscription })
  })
  ws.addEventListener('close', ({ code }) => (end.code = code))
  const frames = on(ws, 'message', { close: ['close'] }) as AsyncGenerator<[MessageEvent<string>]>

  const leave = () => void frames.return(undefined)

  async function* messages(): AsyncGenerator<Message> {
    stop.signal.addEventListener('abort', leave)
    // The server's heartbeat comes every 30 s: without any message for longer, the connection is dead, though it looks open.
    const silence = setTimeout(leave, 75_000)
    try {
      for await (const [{ data }] of frames) {
        if (stop.signal.aborted) break
        silence.refresh()
        yield JSON.parse(data) as Message
      }
    } finally {
      clearTimeout(silence)
      stop.signal.removeEventListener('abort', leave)
      ws.close(1_000)
    }
    if (stop.signal.aborted) return
    if (!end.opened) throw new Trouble(`${url} cannot be reached. Is a server running there (npm start)?`, end.code)
    throw new Trouble(end.code === 0 ? 'Nothing was heard for 75 s.' : `The connection was closed (${end.code}).`, end.code)
  }
  return { send, messages: messages() }
}

/** Prints a message; true when `count` updates have been printed. */
function print(message: Message): boolean {
  if (message.type === 'data') {
    const lines = texts(message).slice(0, left)
    for (const line of lines) console.log(line)
    left -= lines.length
  } else if (message.type === 'error') console.error(`${message.error_code}: ${message.message}`)
  else if (message.type !== 'heartbeat') {
    const done = message.type === 'subscription_ack' ? 'Subscribed' : 'Unsubscribed'
    console.log(`${done}: ${message.stream_type} of ${message.symbols?.join(', ') ?? 'all symbols'}`)
    if (message.disclaimer !== undefined && message.disclaimer !== advice) console.log((advice = message.disclaimer))
  }
  return left <= 0
}

const source = ({ provider, confidence }: Stamp) =>
  `${provider}${confidence === null ? '' : `, confidence ${Math.round(confidence * 100)} %`}`

function texts({ stream_type, data }: Data): string[] {
  const name = ({ symbol }: Stamp) => `${stream_type.padEnd(6)} ${symbol.padEnd(9)}`
  if (stream_type === 'price')
    return data.map((u) => `${name(u)} ${u.price} (${u.change_percent?.toFixed(2) ?? '–'} % on the day) ${source(u)}`)
  if (stream_type === 'quote') return data.map((u) => `${name(u)} ${u.bid} / ${u.ask} ${source(u)}`)
  if (stream_type === 'trades') return data.map((u) => `${name(u)} ${u.side ?? 'trade'} ${u.quantity} at ${u.price} ${source(u)}`)
  return data.map((u) => {
    const state = u.is_closed ? 'closed' : 'forming'
    return `${name(u)} O ${u.open} H ${u.high} L ${u.low} C ${u.close} V ${u.volume} ${state} ${source(u)}`
  })
}

/** Asks until an example is chosen; nothing when the user leaves instead. */
async function menu(): Promise<keyof typeof EXAMPLES | undefined> {
  const names = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]
  console.log(`FIML streaming examples, at ${url}\n`)
  for (const [i, name] of names.entries()) console.log(`  ${i + 1}  ${EXAMPLES[name].title}`)
  console.log('  q  Quit\n')
  const input = createInterface({ input: process.stdin, output: process.stdout, prompt: `Which one (1 to ${names.length})? ` })
  input.prompt()
  for await (const answer of input) {
    const text = answer.trim().toLowerCase()
    if (text === 'q') return undefined
    const chosen = names[Number(text) - 1] ?? names.find((name) => name === text)
    if (chosen) return chosen
    console.log(`"${answer}" is none of them.`)
    input.prompt()
  }
  return undefined
}

function readArguments() {
  try {
    const text = { type: 'string' } as const
    const { values, positionals } = parseArgs({ options: { url: text, symbols: text, count: text }, allowPositionals: true })
    const url = (values.url ?? process.env['TICKWIRE_URL'] ?? 'ws://localhost:8000').replace(/\/$/, '')
    if (!/^(ws|http)s?:\/\/./.test(url)) throw new Trouble(`--url is ws://host:port, not ${url}`)
    const count = Number(values.count ?? Infinity)
    if (!(count >= 1)) throw new Trouble(`--count is a number from 1, not ${values.count}`)
    const [example] = positionals
    if (example !== undefined && !Object.hasOwn(EXAMPLES, example)) throw new Trouble(`There is no example "${example}".`)
    const symbols = (values.symbols ?? 'AAPL,MSFT,BTC-USDT,ETH-USDT').split(',').map((symbol) => symbol.trim())
    return { example: example as keyof typeof EXAMPLES | undefined, url, symbols, count }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    return process.exit(2)
  }
}

process.on('SIGINT', () => {
  if (stop.signal.aborted) process.exit()
  console.log('\nStopped.')
  stop.abort()
})
try {
  const chosen = example ?? (await menu())
  // Nothing more is read: an input that stays open must not keep the program from ending.
  process.stdin.destroy()
  if (chosen) await EXAMPLES[chosen].run()
} catch (error) {
  if (error instanceof Trouble) console.error(error.message)
  else if (!stop.signal.aborted) throw error
  process.exitCode = error instanceof Trouble ? 1 : 0
}
// A server that does not answer the closing is not waited for.
setTimeout(() => process.exit(), 1_000).unref()
