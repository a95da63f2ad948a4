/** What the fiml-*.ts programs have in common: one connection to FIML's endpoints over a plain WebSocket, and its messages as lines. */
import { on } from 'node:events'
import { parseArgs } from 'node:util'

export type Stamp = { symbol: string; timestamp: string; provider: string; confidence: number | null }
type Price = Stamp & { price: number; change: number | null; change_percent: number | null; volume: number | null }
type Candle = Stamp & { open: number; high: number; low: number; close: number; volume: number; is_closed: boolean }
type Quote = Stamp & { bid: number; ask: number; spread: number }
type Trade = Stamp & { price: number; quantity: number; side: 'buy' | 'sell' | null }
type Data =
  | { type: 'data'; stream_type: 'price'; data: Price[] }
  | { type: 'data'; stream_type: 'ohlcv'; data: Candle[] }
  | { type: 'data'; stream_type: 'quote'; data: Quote[] }
  | { type: 'data'; stream_type: 'trades'; data: Trade[] }
export type Message =
  | Data
  | { type: 'subscription_ack' | 'unsubscribe_ack'; stream_type: string; symbols: string[] | null; disclaimer?: string }
  | { type: 'error'; error_code: string; message: string; details: { retry_after_ms?: number } | null }
  | { type: 'heartbeat'; active_subscriptions: number }

/** What is told to the user in one line. `code` is the WebSocket's close code, where there was one. */
export class Trouble extends Error {
  readonly code: number
  constructor(message: string, code = 0) {
    super(message)
    this.code = code
  }
}

const USAGE = `  --url ws://host:port   the server (default: TICKWIRE_URL, or else ws://localhost:8000)
  --symbols AAPL,BTC-USD what to follow; the portfolio has its own
  --count n              end after n updates, or n valuations of the portfolio`

export function readArguments(
  usage = `usage: node ${process.argv[1]?.replace(/^.*(?=examples)/, '')}`,
  names: readonly string[] = []
) {
  try {
    const text = { type: 'string' } as const
    const { values, positionals } = parseArgs({ options: { url: text, symbols: text, count: text }, allowPositionals: true })
    const url = (values.url ?? process.env['TICKWIRE_URL'] ?? 'ws://localhost:8000').replace(/\/$/, '')
    if (!/^(ws|http)s?:\/\/./.test(url)) throw new Trouble(`--url is ws://host:port, not ${url}`)
    const count = Number(values.count ?? Infinity)
    if (!(count >= 1)) throw new Trouble(`--count is a number from 1, not ${values.count}`)
    const [example] = positionals
    if (example !== undefined && !names.includes(example)) throw new Trouble(`There is no example "${example}".`)
    const symbols = (values.symbols ?? 'AAPL,MSFT,BTC-USDT,ETH-USDT').split(',').map((symbol) => symbol.trim())
    return { example, url, symbols, count }
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}\n${USAGE}`)
    return process.exit(2)
  }
}

/** One connection: subscribes to these once it is open; its messages end with Ctrl-C, and with a Trouble when it breaks. */
export function connect(url: string, path: string, ...subscriptions: object[]) {
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

/** What is left of `count`, and the disclaimer that was printed already. */
const printed = { left: Infinity, advice: '' }

/** Prints a message; true when `count` updates have been printed. */
export function print(message: Message): boolean {
  if (message.type === 'data') {
    const lines = texts(message).slice(0, printed.left)
    for (const line of lines) console.log(line)
    printed.left -= lines.length
  } else if (message.type === 'error') console.error(`${message.error_code}: ${message.message}`)
  else if (message.type !== 'heartbeat') {
    const done = message.type === 'subscription_ack' ? 'Subscribed' : 'Unsubscribed'
    console.log(`${done}: ${message.stream_type} of ${message.symbols?.join(', ') ?? 'all symbols'}`)
    if (message.disclaimer !== undefined && message.disclaimer !== printed.advice)
      console.log((printed.advice = message.disclaimer))
  }
  return printed.left <= 0
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

/** Ends with the program, with Ctrl-C, and with what is wrong in one line. */
export const stop = new AbortController()
export async function run(program: () => Promise<void>, count = Infinity): Promise<void> {
  printed.left = count
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit()
    console.log('\nStopped.')
    stop.abort()
  })
  try {
    await program()
  } catch (error) {
    if (error instanceof Trouble) console.error(error.message)
    else if (!stop.signal.aborted) throw error
    process.exitCode = error instanceof Trouble ? 1 : 0
  }
  // A server that does not answer the closing is not waited for.
  setTimeout(() => process.exit(), 1_000).unref()
}
