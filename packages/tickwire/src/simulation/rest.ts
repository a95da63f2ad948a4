/** A provider's REST without a network: its real routes answer, late, or not, or with a failure. */
import type { Desk, Dialect } from '@tickwire/server/dialects/dialect.ts'
import type { Reply, Transport } from '@tickwire/server/connection/http.ts'
import type { Meter } from './limits.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'
import type { Trouble } from './trouble.ts'

export type RestOptions = {
  // oxlint-disable-next-line typescript/no-explicit-any -- a dialect of whatever memory
  dialect: Dialect<any>
  desk: Desk
  schedule: Schedule
  draw: () => number
  trouble: () => Trouble
  meter: Meter
}

const LATENCY = 20
const RETRY_AFTER = 2

function matches(route: string, method: string, path: string): boolean {
  const [verb, pattern = ''] = route.split(' ')
  if (verb !== method) return false
  const parts = pattern.split('/')
  const given = path.split('/')
  if (parts.at(-1) === '*' ? given.length < parts.length : given.length !== parts.length) return false
  return parts.every((part, at) => part === '*' || part.startsWith(':') || part === given[at])
}

export function createRest({ dialect, desk, schedule, draw, trouble, meter }: RestOptions): Transport {
  const answer = async (path: string, base: string): Promise<Reply> => {
    const url = new URL(path.startsWith('/') ? base.replace(/\/$/, '') + path : path)
    const route = dialect.http?.find((each) => matches(each.route, 'GET', decodeURIComponent(url.pathname)))
    if (!route) return { ok: true, status: 404, headers: {}, body: Buffer.from('nothing here') }
    const query = Object.fromEntries(url.searchParams)
    const request = { method: 'GET', path: decodeURIComponent(url.pathname), query }
    const { status, body, headers = {} } = await route.answer(request, desk, schedule.now())
    return { ok: true, status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
  }
  return ({ path, base, timeout, stop }) =>
    new Promise((resolve) => {
      const { rest, weather } = trouble()
      meter.asked(path)
      const later = (ms: number, reply: () => Reply | Promise<Reply>): void => {
        schedule.answer(ms, () => resolve(stop.aborted ? { ok: false, reason: 'stopped' } : reply()))
      }
      const wait = LATENCY + weather.latency + Math.floor(draw() * 20)
      if (rest === 0) later(timeout, () => ({ ok: false, reason: `no answer within ${timeout} ms`, again: true }))
      else if (rest !== undefined)
        later(wait, () => {
          if (rest === 429) meter.hush(RETRY_AFTER * 1_000)
          return failure(rest)
        })
      else later(wait, () => answer(path, base))
    })
}

const failure = (status: number): Reply => ({
  ok: true,
  status,
  headers: status === 429 ? { 'retry-after': String(RETRY_AFTER) } : {},
  body: Buffer.from('no')
})
