/** The gateway's REST answers as values: what went wrong is a sentence for a person, never an exception. */
import { isReplay, useDesk } from './desk.ts'
import type { Instrument, ProviderAbout } from './listing.ts'
import { turning } from './link.ts'
import { tokenNow, wantToken } from './token.ts'
import { INTERVAL_MS } from '@tickwire/client'
import type { Calibration, Candle, Gap, GapFilled, Interval, News, Published, Trade } from '@tickwire/client'

/** `status`: that of HTTP, where the server answered at all. */
export type Answer<T> = { ok: true; value: T } | { ok: false; message: string; status?: number }

/** `at`: when it was here. */
export type Fill = Pick<GapFilled, 'how' | 'by' | 'items' | 'from' | 'to' | 'own'> & { at: number }

/** A gap with what became of it; `open` is also what nobody can fill, and `why` says why not. */
export type KnownGap = Omit<Gap, 'type' | 'time' | 'received' | 'instrument'> & {
  id: string
  state: 'open' | 'filled'
  fills: readonly Fill[]
  why?: string
}

/** How long one stage of an event's way takes, milliseconds. */
export type Hop = { hop: string; provider?: string; kind?: string; count: number; p50: number; p90: number; p99: number }

/** What confidence was said and what came true; by provider, how often its prices held. */
export type Confidence = { reliability: Record<string, number>; calibrations: Calibration[] }

/** How the book of one instrument stands at one provider. */
export type BookStanding = {
  instrument: string
  provider: string
  state: 'syncing' | 'valid' | 'suspect' | 'stale'
  sequence?: number
  checked?: number
  resyncs: number
  damage?: { at: number; cause: string; healedAfter?: number }
}

/** What came of a command; `after`: milliseconds. */
export type Outcome = { outcome: 'healed' | 'failed' | 'timeout'; message: string; after: number }

type Method = 'GET' | 'POST' | 'DELETE'

export async function ask(
  method: Method,
  path: string,
  given: { signal?: AbortSignal; body?: object } = {}
): Promise<Answer<unknown>> {
  const { signal, body } = given
  const token = tokenNow()
  const headers = {
    accept: 'application/json',
    ...(body && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` })
  }
  try {
    const response = await fetch(path, {
      method,
      headers,
      ...(signal && { signal }),
      ...(body && { body: JSON.stringify(body) })
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) return { ok: true, value: answer }
    if (response.status === 401) wantToken(token)
    const told = (answer as { error?: { message?: string } } | undefined)?.error?.message
    return { ok: false, status: response.status, message: told ?? `The server answered ${response.status} to ${path}.` }
  } catch {
    return { ok: false, message: 'The server cannot be reached.' }
  }
}

const get = (path: string, signal?: AbortSignal): Promise<Answer<unknown>> => ask('GET', path, signal && { signal })

/** What is true of now only: in a replay it is not asked for, and what was asked before the page turned is not taken. */
async function ofNow(path: string, signal?: AbortSignal): Promise<Answer<unknown>> {
  if (isReplay()) return { ok: false, message: 'This is told of what is live only, and the page shows a replay.' }
  const turned = turning()
  const answer = await get(path, signal ? AbortSignal.any([signal, turned]) : turned)
  return turned.aborted ? { ok: false, message: 'The page turned to something else.' } : answer
}

export const list = <T>(answer: Answer<unknown>, name: string): Answer<T[]> => {
  if (!answer.ok) return answer
  const rows = (answer.value as Record<string, T[]> | undefined)?.[name]
  return Array.isArray(rows) ? { ok: true, value: rows } : { ok: false, message: `The server's list of ${name} is not a list.` }
}

const path = encodeURIComponent

export const fetchInstruments = async (query?: string, signal?: AbortSignal): Promise<Answer<Instrument[]>> =>
  list(await get(query ? `/v1/instruments?q=${path(query)}` : '/v1/instruments?limit=10000', signal), 'instruments')

/** What the server collects for as long as it runs, in the operator's order. */
export const fetchWatched = async (): Promise<Answer<string[]>> => list(await get('/v1/watched'), 'instruments')

export const fetchProviders = async (): Promise<Answer<ProviderAbout[]>> => list(await get('/v1/providers'), 'providers')

/** What the server still has of the news, oldest first. */
export const fetchNews = async (): Promise<Answer<Published<News>[]>> => list(await ofNow('/v1/news?limit=200'), 'news')

/** The last ones; of a replay those that it has told itself. */
export async function fetchTrades(id: string, limit: number, signal?: AbortSignal): Promise<Answer<Published<Trade>[]>> {
  const { replay } = useDesk.getState()
  const of = `trades/${path(id)}?limit=${limit}`
  const answer = await (replay === undefined ? ofNow(`/v1/${of}`, signal) : get(`/v1/replays/${path(replay)}/${of}`, signal))
  return list(answer, 'trades')
}

/** `missing`: what of the past was asked for and is not there yet, and why. */
export type Past = { candles: Candle[]; missing?: string }

/** The last ones; in a replay those that were closed by `until`, of what was recorded or asked of providers. */
export async function fetchCandles(
  id: string,
  interval: Interval,
  limit: number,
  signal: AbortSignal,
  until?: number
): Promise<Answer<Past>> {
  const length = INTERVAL_MS[interval]
  const span = until === undefined ? '' : `&from=${Math.floor(until - limit * length)}&to=${Math.ceil(until)}`
  const address = `/v1/candles/${path(id)}?interval=${interval}&limit=${limit}${span}`
  const answer = await (until === undefined ? ofNow(address, signal) : get(address, signal))
  const candles = list<Candle>(answer, 'candles')
  if (!candles.ok || !answer.ok) return candles.ok ? { ok: false, message: 'No answer.' } : candles
  const { missing } = answer.value as { missing?: string }
  const value = candles.value.filter(({ start, end = start + length }) => until === undefined || end <= until)
  return { ok: true, value: { candles: value, ...(missing !== undefined && { missing }) } }
}

export const fetchGaps = async (id: string, signal?: AbortSignal): Promise<Answer<KnownGap[]>> =>
  list(await ofNow(`/v1/gaps/${path(id)}`, signal), 'gaps')

export const fetchHops = async (signal?: AbortSignal): Promise<Answer<Hop[]>> => list(await ofNow('/v1/latency', signal), 'hops')

export const fetchBooks = async (id: string, signal?: AbortSignal): Promise<Answer<BookStanding[]>> =>
  list(await ofNow(`/v1/books?instrument=${path(id)}`, signal), 'books')

/** The names of the groups of which breadth is told: `all`, and each sector. */
export const fetchGroups = async (signal?: AbortSignal): Promise<Answer<string[]>> =>
  list(await ofNow('/v1/breadth', signal), 'groups')

const command = async (address: string): Promise<Answer<Outcome>> => (await ask('POST', address)) as Answer<Outcome>

export const resync = (id: string, provider: string): Promise<Answer<Outcome>> =>
  command(`/v1/books/${path(id)}/resync?provider=${path(provider)}`)

export const reconnect = (provider: string): Promise<Answer<Outcome>> => command(`/v1/providers/${path(provider)}/reconnect`)

export async function fetchConfidence(signal?: AbortSignal): Promise<Answer<Confidence>> {
  const answer = await ofNow('/v1/confidence', signal)
  const calibrations = list<Calibration>(answer, 'calibrations')
  if (!calibrations.ok || !answer.ok) return calibrations.ok ? { ok: false, message: 'No answer.' } : calibrations
  const { reliability = {} } = answer.value as Partial<Confidence>
  return { ok: true, value: { reliability, calibrations: calibrations.value } }
}
