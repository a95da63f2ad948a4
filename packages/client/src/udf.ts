/** Questions to the server's UDF: JSON, or an error with the server's own words. */
import { backoffDelay, type Backoff } from './backoff.ts'
import type { Bar } from './bars.ts'
import { socketUrl } from './url.ts'

export type Params = Record<string, string | number>
export type UdfOptions = { url: string; token?: string | (() => string | Promise<string>); fetch?: typeof fetch }
export type Ask = (path: string, params: Params) => Promise<object>

export function createUdf({ url, token, fetch: get = (...request) => fetch(...request) }: UdfOptions): Ask {
  const socket = new URL(socketUrl(url))
  const root = `${socket.protocol === 'wss:' ? 'https' : 'http'}://${socket.host}${socket.pathname.replace(/\/v1\/ws$/, '')}/udf`
  return async (path, params) => {
    const query = new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)]))
    const given = typeof token === 'function' ? await token() : token
    const response = await get(`${root}/${path}?${query.toString()}`, {
      headers: given === undefined ? {} : { authorization: `Bearer ${given}` }
    })
    const answer = (await response.json().catch(() => undefined)) as { s?: string; errmsg?: string } | undefined | null
    if (answer === undefined || answer === null) throw new Error(`${path}: the server answered ${response.status} and no JSON`)
    if (answer.s === 'error' || !response.ok) throw new Error(answer.errmsg ?? `${path}: the server answered ${response.status}`)
    return answer
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const USUAL: Backoff = { min: 1_000, max: 30_000 }
type Waiting = { isOver: () => boolean; backoff: Backoff | undefined }
/** A chart that is given no configuration waits for ever, and has no way to be told why: it is asked for until it is there. */
export function configure(ask: Ask, { isOver, backoff = USUAL }: Waiting, onConfiguration: (answer: object) => void): void {
  let said = ''
  let attempt = 0
  const failed = (error: unknown): void => {
    if (isOver()) return
    const reason = reasonOf(error)
    if (reason !== said) console.error(`tickwire: the chart waits for its configuration: ${reason}`)
    said = reason
    setTimeout(load, backoffDelay(++attempt, backoff, Math.random))
  }
  const load = (): void => {
    const configuration = ask('config', {}).then((answer) => {
      if (typeof answer === 'object' && 'supported_resolutions' in answer) return answer
      throw new Error('config: what answered is no server of charts')
    })
    configuration.then(onConfiguration, failed)
  }
  load()
}

/** A table told as columns. */
export type Columns = Record<string, unknown[]>
export const rowsIn = (columns: Columns): object[] =>
  (columns['id'] ?? []).map((_, i) => Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, values[i]])))

export type ChartHistory = { noData?: boolean; nextTime?: number | null }
export type History = ({ s: 'ok' } & Record<'t' | 'o' | 'h' | 'l' | 'c' | 'v', number[]>) | { s: 'no_data'; nextTime?: number }

const at = (column: readonly number[], i: number): number => column[i] ?? Number.NaN

export function historyIn(answer: History): { bars: Bar[]; meta: ChartHistory } {
  if (answer.s === 'no_data') {
    const { nextTime } = answer
    return { bars: [], meta: nextTime === undefined ? { noData: true } : { noData: true, nextTime } }
  }
  const { t, o, h, l, c, v } = answer
  if (![t, o, h, l, c, v].every(Array.isArray)) throw new Error('history: what answered is no server of bars')
  const bars = t.map((seconds, i): Bar => {
    const prices = { open: at(o, i), high: at(h, i), low: at(l, i), close: at(c, i) }
    return { time: seconds * 1_000, ...prices, volume: at(v, i) }
  })
  return { bars, meta: { noData: false } }
}
