/** @tickwire/client/react: live market data as hooks. One subscription per topic, one rendering per frame, whoever reads. */
import type { AskedContract, Book, Candle, Interval, Published, Quote } from '@tickwire/protocol'
import { createContext, createElement, useCallback, useContext, useMemo, useSyncExternalStore } from 'react'
import type { ReactElement, ReactNode } from 'react'
import type { Client } from './client.ts'
import {
  candlesSource,
  NO_CLIENT,
  NO_PAST,
  NO_TOPIC,
  stateSource,
  topicSource,
  type Past,
  type TopicState
} from './react-sources.ts'
import { createStore, type Source, type Store } from './react-store.ts'
import type { ConnectionState } from './state.ts'

export type { Past, TopicState } from './react-sources.ts'

export type TickwireProps = Partial<Past> & {
  /** One for the whole page, made outside of components. On a server there is none, and all hooks tell of nothing yet. */
  client: Client | undefined
  children?: ReactNode
}
type Ground = { client: Client | undefined; past: Past | undefined }
const Context = createContext<Ground | undefined>(undefined)

/** Gives the client to all components below. With `url` (and `token`) `useCandles` has a past to begin with. */
export function TickwireProvider({ client, url, token, children }: TickwireProps): ReactElement {
  const ground = useMemo((): Ground => {
    const past = url === undefined ? undefined : token === undefined ? { url } : { url, token }
    return { client, past }
  }, [client, url, token])
  return createElement(Context.Provider, { value: ground }, children)
}

/** `client`: another than the provider's, or where there is no provider. */
export type HookOptions = { client?: Client | undefined }
export type TopicOptions = HookOptions & { contract?: AskedContract }

function useGround(client: Client | undefined): Ground {
  const ground = useContext(Context)
  if (client && client !== ground?.client) return { client, past: undefined }
  if (ground) return ground
  throw new Error('There is no client: wrap the page in <TickwireProvider client={…}>, or give the hook { client }')
}

const stores = new WeakMap<Client, Store>()
const EMPTY = createStore()
function storeOf(client: Client | undefined): Store {
  if (!client) return EMPTY
  const store = stores.get(client) ?? createStore()
  stores.set(client, store)
  return store
}

function useSource<T>(client: Client | undefined, source: Source<T>, none: Source<T>): T {
  const store = storeOf(client)
  const watch = useCallback((listener: () => void) => store.watch(source, listener), [store, source])
  return useSyncExternalStore(watch, () => store.read(source), none.start)
}

/** The newest event of a topic and the server's answer to it; `undefined` as topic reads nothing. */
export function useTopic(topic: string | undefined, { client: own, contract }: TopicOptions = {}): TopicState {
  const { client } = useGround(own)
  const asked = JSON.stringify(contract)
  const source = useMemo(
    () =>
      client && topic !== undefined
        ? topicSource(client, topic, asked === undefined ? undefined : (JSON.parse(asked) as AskedContract))
        : NO_TOPIC,
    [client, topic, asked]
  )
  return useSource(client, source, NO_TOPIC)
}

/** Of what a newer one replaces nobody sees more than one a frame. */
const LATEST: AskedContract = { delivery: 'latest' }

export function useQuote(instrument: string | undefined, { client }: HookOptions = {}): Published<Quote> | undefined {
  const { event } = useTopic(instrument && `quote:${instrument}`, { client, contract: LATEST })
  return event?.type === 'quote' ? event : undefined
}

/** `depth`: the best levels of each side; all that the server sends without it. */
export function useBook(
  instrument: string | undefined,
  { client, depth }: HookOptions & { depth?: number } = {}
): Published<Book> | undefined {
  const { event } = useTopic(instrument && `book:${instrument}`, { client, contract: LATEST })
  return useMemo(() => {
    if (event?.type !== 'book') return undefined
    return depth === undefined ? event : { ...event, bids: event.bids.slice(0, depth), asks: event.asks.slice(0, depth) }
  }, [event, depth])
}

export type CandlesOptions = HookOptions & { limit?: number }

/** Oldest first, the last one forming. A candle that is revised is replaced in its place. */
export function useCandles(
  instrument: string | undefined,
  interval: Interval,
  { client: own, limit = 300 }: CandlesOptions = {}
): readonly Candle[] {
  const { client, past } = useGround(own)
  const source = useMemo(
    () => (client && instrument !== undefined ? candlesSource(client, { instrument, interval, limit, past }) : NO_PAST),
    [client, instrument, interval, limit, past]
  )
  return useSource(client, source, NO_PAST)
}

/** The state of the connection, with a sentence that can be shown. */
export function useStatus({ client: own }: HookOptions = {}): ConnectionState {
  const { client } = useGround(own)
  const source = useMemo(() => (client ? stateSource(client) : NO_CLIENT), [client])
  return useSource(client, source, NO_CLIENT)
}
