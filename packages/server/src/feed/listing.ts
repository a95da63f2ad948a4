/** What is asked of the providers by REST of their own accord: which instruments they have, and the past of one. */
import type { Candle, Interval } from '@tickwire/protocol'
import { DENIED } from '../connection/connection.ts'
import type { Hub, Provider } from './hub.ts'
import { fetchCandles, fetchListing, fetchTrades, type PastTrades } from './lookup.ts'
import { listed } from './reports.ts'

const LISTING_RETRY = { base: 1_000, cap: 30_000 }

/** Asks for a provider's listing; the tick does it again, soon after a failure and now and then for what is new. */
export async function list(hub: Hub, provider: Provider): Promise<void> {
  const { clock, random, log, listingEvery } = hub
  provider.listAt = Infinity
  const failure = await listOnce(hub, provider)
  if (failure === undefined) {
    provider.listTries = provider.listDenials = 0
    // Between half and one and a half times, so that restarts do not bring all servers to the provider at one time.
    provider.listAt = clock() + listingEvery * (0.5 + random())
  } else {
    const { base, cap } = LISTING_RETRY
    provider.listDenials = failure.denied ? provider.listDenials + 1 : 0
    const least = provider.listDenials > DENIED.tries ? DENIED.wait : 0
    const usual = base / 2 + random() * Math.min(cap, base * 2 ** Math.min(provider.listTries++, 30))
    const wait = Math.max(usual, least)
    provider.listAt = clock() + wait
    if (failure.reason !== provider.listFailure && !hub.stopped)
      log.warn({ provider: provider.adapter.provider, reason: failure.reason, retryInMs: Math.round(wait) }, 'listing failed')
  }
  provider.listFailure = failure?.reason
}

type Failure = { reason: string; denied: boolean }
/** Why it failed, or nothing. */
async function listOnce(hub: Hub, { adapter: { provider }, source, listed: before }: Provider): Promise<Failure | undefined> {
  try {
    const found = await fetchListing(source)
    if (!found.ok) return { reason: found.reason, denied: found.status === 401 || found.status === 403 }
    listed(hub, provider, found.value)
    hub.log[before ? 'debug' : 'info']({ provider, instruments: found.value.length }, 'listing loaded')
    hub.onListing()
    return undefined
  } catch (error) {
    return { reason: `unusable listing: ${(error as Error).message}`, denied: false }
  }
}

const leaderOf = (hub: Hub, instrument: string) => hub.arbiter.lanes.get(`trade:${instrument}`)?.leader
function leaderFirst(hub: Hub, instrument: string): Provider[] {
  const leader = leaderOf(hub, instrument)?.provider
  const rank = ({ adapter }: Provider): number => Number(adapter.provider === leader)
  return [...hub.providers.values()].sort((a, b) => rank(b) - rank(a))
}

/** Whether an instrument's trades are heard now, so that none of them is past that we have not. */
export const hearsTrades = (hub: Hub, instrument: string): boolean => leaderOf(hub, instrument)?.state === 'live'

export type PastAnswer = ({ ok: true; provider: string } & PastTrades) | { ok: false; why: string }

/** A provider's own past trades: the leader's if it serves them, else the next one's. */
export async function pastTrades(hub: Hub, instrument: string, span: { from: number; to: number }): Promise<PastAnswer> {
  const failures: string[] = []
  for (const { adapter, source } of leaderFirst(hub, instrument)) {
    const { provider } = adapter
    const symbol = adapter.fill && hub.instruments.symbolOf(provider, instrument)
    if (symbol === undefined) continue
    const found = await fetchTrades(source, instrument, symbol, span)
    if (found.ok) return { ok: true, provider, ...found.value }
    failures.push(`${provider}: ${found.reason}`)
  }
  return { ok: false, why: failures.length === 0 ? 'no provider serves past trades of it' : failures.join('; ') }
}

/** Why there are none, if some provider has them and could not be asked. */
export type History = { candles: Candle[]; why?: string }

/** A provider's own past candles: the leader's if it serves them, else the next one's. */
export async function history(hub: Hub, instrument: string, interval: Interval, limit: number, until?: number): Promise<History> {
  const failures: string[] = []
  for (const { adapter, source } of leaderFirst(hub, instrument)) {
    const symbol = hub.instruments.symbolOf(adapter.provider, instrument)
    if (symbol === undefined) continue
    const found = await fetchCandles(source, instrument, symbol, interval, limit, until)
    if (found.ok) return { candles: found.value }
    if (adapter.history && adapter.intervals.includes(interval)) failures.push(`${adapter.provider}: ${found.reason}`)
    hub.log.warn({ provider: adapter.provider, instrument, interval, reason: found.reason }, 'no history')
  }
  return failures.length === 0 ? { candles: [] } : { candles: [], why: failures.join('; ') }
}
