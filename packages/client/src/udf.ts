/** Questions to the server's UDF: JSON, or an error with the server's own words. */
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
