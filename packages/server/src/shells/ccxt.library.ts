/** The library itself: loaded on first use, its exchanges made with bounded memory, and its leaks fenced. */
import type { Access } from '../providers/adapter.ts'

export type Market = Readonly<Record<string, unknown>> & { symbol: string; contractSize?: number; linear?: boolean }
type Client = {
  connection?: { readyState: number }
  connected: Promise<unknown>
  future: (hash: string) => Promise<unknown>
  send: (message: unknown) => Promise<unknown>
  log: (...words: unknown[]) => void
  onError: (error: unknown) => void
}
type Asked = (...args: unknown[]) => Promise<unknown>
/** What is used of an exchange of the library. Whether it has a method is said by `has`, as true, false or 'emulated'. */
export type Exchange = {
  id: string
  has: Readonly<Record<string, unknown>>
  timeframes?: Readonly<Record<string, unknown>>
  precisionMode: number
  markets?: Readonly<Record<string, Market>>
  currencies?: object
  clients: Readonly<Record<string, Client>>
  client: (url: string) => Client
  loadMarkets: (reload?: boolean) => Promise<Readonly<Record<string, Market>>>
  setMarkets: (markets: object, currencies?: object) => unknown
  loadHttpProxyAgent: () => Promise<unknown>
  close: () => Promise<unknown>
} & Readonly<
  Record<'watchTrades' | 'watchTicker' | 'watchBidsAsks' | 'watchOHLCV' | 'watchOrderBook', Asked> &
    Record<'fetchTrades' | 'fetchTicker' | 'fetchOHLCV' | 'fetchOrderBook', Asked>
>

type Class = new (settings: object) => Exchange
type Kind = abstract new (...args: never[]) => Error
export type Library = Record<string, unknown> & { pro: Readonly<Record<string, Class>> }

let loading: Promise<Library> | undefined
export const loadLibrary = (): Promise<Library> =>
  (loading ??= import('ccxt').then(
    (module) => module as unknown as Library,
    (error: unknown) => {
      loading = undefined
      throw new Error(`the library ccxt is not installed (npm install ccxt): ${(error as Error).message}`)
    }
  ))

/** The names that `options.exchanges` holds. */
export const namesOf = ({ options }: Access): string[] => [
  ...new Set((options?.exchanges ?? '').split(/[\s,]+/).flatMap((name) => (name === '' ? [] : [name.toLowerCase()])))
]

/** More than this between two turns of ours is lost, and told. */
export const KEPT = 1_000

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a JSON text holds for one exchange; nothing where it is not named. */
function partOf(what: string, text: string | undefined, name: string): Record<string, unknown> {
  if (text === undefined) return {}
  let all: unknown
  try {
    all = JSON.parse(text)
  } catch (error) {
    // Without its words: they may quote a secret.
    throw new Error(`${what} is no JSON`, { cause: error })
  }
  const own = isRecord(all) && Object.hasOwn(all, name) ? all[name] : {}
  if (isRecord(own)) return own
  throw new Error(`${what} holds no object for ${name}`)
}

/** A plain key is of one account: with several exchanges nobody says whose, so none is shown it. */
function credentialsOf(access: Access, name: string): Record<string, unknown> {
  const { key, secret } = access
  if (key?.trimStart().startsWith('{')) return partOf('the key', key, name)
  if (namesOf(access).length !== 1) return {}
  return { ...(key === undefined ? {} : { apiKey: key }), ...(secret === undefined ? {} : { secret }) }
}

/** Its memory is bounded, and it does not wait before it dials: we do. */
const OPTIONS = {
  tradesLimit: KEPT,
  OHLCVLimit: KEPT,
  ordersLimit: KEPT,
  ws: { backoff: { base: 0, max: 0 } }
}

export function makeExchange(library: Library, access: Access, name: string): Exchange {
  const { pro } = library
  if (!Object.hasOwn(pro, name)) throw new Error(`the library streams from no exchange that is called ${JSON.stringify(name)}`)
  const { options, ...settings } = partOf('options.settings', access.options?.settings, name)
  return fence(
    new pro[name]!({
      enableRateLimit: true,
      newUpdates: true,
      ...settings,
      ...credentialsOf(access, name),
      options: { ...OPTIONS, ...(isRecord(options) ? options : {}) }
    })
  )
}

const ignore = (): void => undefined

/** Promises that the library makes and nobody of its own waits for: their failure is told to whoever watches, not to the process. */
function fence(exchange: Exchange): Exchange {
  const fenced = new WeakSet<Client>()
  const { client } = exchange
  exchange.client = (url) => {
    const made = client.call(exchange, url)
    if (fenced.has(made)) return made
    fenced.add(made)
    made.connected.catch(ignore)
    // It writes to standard output, where our log is.
    made.log = ignore
    const { future, send } = made
    made.future = (hash) => {
      const promise = future.call(made, hash)
      promise.catch(ignore)
      return promise
    }
    made.send = (message) => {
      const sent = send.call(made, message)
      sent.catch((error: unknown) => made.onError(error))
      return sent
    }
    return made
  }
  return exchange
}

/** Closes all its sockets, and sees to it that whatever still runs in it opens no new one. */
export async function closeExchange(exchange: Exchange): Promise<void> {
  exchange.client = () => {
    throw new Error('this exchange was closed')
  }
  await exchange.close().catch(ignore)
}

/** `again`: it may go well the next time. `later`: it asked us to slow down. `refused`: this one thing is not to be had. */
export type Verdict = 'again' | 'later' | 'refused' | 'denied' | 'unclear'

const VERDICTS: readonly (readonly [kind: string, verdict: Verdict])[] = [
  // In this order, because some are kinds of others.
  ['PermissionDenied', 'refused'],
  ['AuthenticationError', 'denied'],
  ['ArgumentsRequired', 'refused'],
  ['BadRequest', 'refused'],
  ['NotSupported', 'refused'],
  ['RestrictedLocation', 'refused'],
  ['DDoSProtection', 'later'],
  ['RateLimitExceeded', 'later'],
  ['OperationFailed', 'again'],
  ['UnsubscribeError', 'again']
]

export const judge = (library: Library, error: unknown): Verdict =>
  VERDICTS.find(([kind]) => {
    const known = library[kind]
    return typeof known === 'function' && error instanceof (known as unknown as Kind)
  })?.[1] ?? 'unclear'

/** `BadSymbol: bybit does not have market symbol BTC/XYZ`, without pages of HTML, and without queries, which may be signed. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replace(/\?\S*/g, '').slice(0, 300)
