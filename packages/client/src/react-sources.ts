/** What the hooks read: a topic, the candles of an instrument, the state of the connection. */
import { topicName, type AskedContract, type Candle, type Interval, type Published, type TopicResult } from '@tickwire/protocol'
import type { Client } from './client.ts'
import type { Source } from './react-store.ts'
import type { ConnectionState } from './state.ts'
import { socketUrl } from './url.ts'

/** The newest event of a topic, and what the server said to it: a refusal stands in `result`. */
export type TopicState = { event: Published | undefined; result: TopicResult | undefined }

/** Where the past is asked for, as the client was told it. */
export type Past = { url: string; token?: string | (() => string | Promise<string>) }

const NOTHING: TopicState = { event: undefined, result: undefined }
const NO_CANDLES: readonly Candle[] = []
const NOT_STARTED: ConnectionState = { phase: 'waiting', since: 0, reason: 'Not started.', attempt: 0 }

export const topicSource = (client: Client, topic: string, contract: AskedContract | undefined): Source<TopicState> => ({
  key: `topic ${topic} ${JSON.stringify(contract)}`,
  start: () => NOTHING,
  open: (change) => {
    const onResult = (result: TopicResult): void => change((now) => ({ ...now, result }))
    const options = contract === undefined ? { onResult } : { onResult, contract }
    return client.subscribe(topic, (event) => change((now) => ({ ...now, event })), options).close
  }
})

export const stateSource = (client: Client): Source<ConnectionState> => ({
  key: 'state',
  start: () => client.state(),
  open: (change) => client.on('state', (state) => change(() => state))
})

/** For where there is nothing to read: on a server, and while no topic is chosen. */
export const NO_TOPIC: Source<TopicState> = { key: 'no topic', start: () => NOTHING, open: () => () => {} }
export const NO_PAST: Source<readonly Candle[]> = { key: 'no candles', start: () => NO_CANDLES, open: () => () => {} }
export const NO_CLIENT: Source<ConnectionState> = { key: 'no client', start: () => NOT_STARTED, open: () => () => {} }

/** Oldest first; of one interval the candle with the higher revision, and of two with the same the one that comes later. */
export function joined(known: readonly Candle[], news: readonly Candle[], limit: number): readonly Candle[] {
  const [only, last] = [news.length === 1 ? news[0] : undefined, known.at(-1)]
  // Nearly every piece of news is of the newest candle.
  if (only && last && only.start === last.start && only.revision >= last.revision) return [...known.slice(0, -1), only]
  const all = new Map(known.map((candle) => [candle.start, candle]))
  for (const candle of news) if (candle.revision >= (all.get(candle.start)?.revision ?? 0)) all.set(candle.start, candle)
  return [...all.values()].sort((a, b) => a.start - b.start).slice(-limit)
}

async function fetchPast({ url, token }: Past, path: string, signal: AbortSignal): Promise<readonly Candle[]> {
  const socket = new URL(socketUrl(url))
  const root = `${socket.protocol === 'wss:' ? 'https' : 'http'}://${socket.host}${socket.pathname.replace(/\/ws$/, '')}`
  const given = typeof token === 'function' ? await token() : token
  const response = await fetch(`${root}/${path}`, {
    signal,
    headers: given === undefined ? {} : { authorization: `Bearer ${given}` }
  })
  const { candles } = (response.ok ? await response.json() : {}) as { candles?: Candle[] }
  // Refused for now, or answered by something that is no server of ours.
  if (!Array.isArray(candles)) throw new Error(`no candles: status ${response.status}`)
  return candles
}

type CandlesAsked = { instrument: string; interval: Interval; limit: number; past: Past | undefined }

/** The past by REST, once and again after each hole, and what forms by the stream. One that could not be had is asked for with the next connection. */
export function candlesSource(client: Client, { instrument, interval, limit, past }: CandlesAsked): Source<readonly Candle[]> {
  const topic = topicName('candle', instrument, undefined, interval)
  return {
    key: `candles ${topic} ${limit} ${past?.url ?? ''}`,
    start: () => NO_CANDLES,
    open: (change) => {
      const gone = new AbortController()
      let missing = past !== undefined
      const load = (): void => {
        if (!past) return
        missing = false
        const path = `candles/${encodeURIComponent(instrument)}?interval=${interval}&limit=${limit}`
        fetchPast(past, path, gone.signal).then(
          // What the stream told meanwhile is newer than the answer.
          (candles) => change((now) => joined(joined(now, candles, limit), now, limit)),
          () => (missing = true)
        )
      }
      const named = new Set([topic])
      const subscription = client.subscribe(
        topic,
        (event) => {
          if (event.type === 'candle') change((now) => joined(now, [event], limit))
        },
        { onResult: (result) => void (result.ok && named.add(result.topic)) }
      )
      const again = ({ topic: of }: { topic: string }): void => {
        if (named.has(of)) load()
      }
      const hole = client.on('gap', (told) => void (told.source !== 'provider' && again(told)))
      const back = client.on('state', ({ phase }) => void (phase === 'open' && missing && load()))
      const ends = [subscription.close, client.on('reset', again), client.on('lost', again), hole, back, () => gone.abort()]
      load()
      return () => ends.forEach((end) => end())
    }
  }
}
