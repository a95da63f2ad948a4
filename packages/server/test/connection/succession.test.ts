/** Connections that end, start and take over on a simulated socket: what is handed on, and when the next attempt may be. */
import { expect, test } from 'vitest'
import type { Decoded } from '../../src/connection/connection.ts'
import type { Hooks, Link } from '../../src/connection/link.ts'
import { createPool } from '../../src/connection/pool.ts'
import type { Span } from '../../src/connection/holes.ts'
import type { Adapter, Meaning, Need, Subscription } from '../../src/providers/adapter.ts'
import { venueAdapter, type VenueSession } from '../feed/venue.ts'

const A: Subscription = { kind: 'trade', symbol: 'A' }
const trade = (id: number, time: number): Meaning => ({
  type: 'trade',
  symbol: 'A',
  id: String(id),
  price: 1,
  size: 1,
  side: 'buy',
  time
})
const ACK: Meaning = { type: 'ack', kind: 'trade', symbol: 'A' }
type Line = Hooks & { sent: string[]; pings: number; cut: boolean; at: number }

/** A pool whose sockets and REST the test plays itself. */
function open(change: Partial<Adapter<VenueSession>> = {}, rest: (need: Need) => Meaning[] = () => []) {
  let now = 1_000_000
  const lines: Line[] = []
  const events: Decoded[] = []
  const closed: string[] = []
  const filled: (Span & { how: string })[] = []
  const asked: Need[] = []
  const nothing = () => undefined
  const pool = createPool({
    adapter: venueAdapter('a', {
      fill: (symbol, from, to) => ({ type: 'need', purpose: 'trades', symbol, path: `/t?${from}-${to}` }),
      ...change
    }),
    wsUrl: 'ws://a.test',
    restUrl: 'http://a.test',
    readAccess: () => ({}),
    clock: () => now,
    random: () => 0.5,
    settings: { backoff: { base: 50, cap: 200 } },
    dial(_target, hooks): Link {
      const line: Line = { ...hooks, sent: [], pings: 0, cut: false, at: now }
      lines.push(line)
      return {
        send: (frame) => void line.sent.push(frame as string),
        ping: () => void line.pings++,
        close: () => void (line.cut = true)
      }
    },
    rest: {
      async get(need: Need) {
        asked.push(need)
        return { ok: true, body: JSON.stringify(rest(need)), status: 200, headers: {} }
      },
      stop: nothing,
      quiet: nothing
    } as never,
    hooks: {
      onEvent: (event) => events.push(event),
      onGap: nothing,
      onClosed: (carried, reason) => closed.push(`${carried.map(({ symbol }) => symbol).join()}: ${reason}`),
      onFilled: (span, how) => filled.push({ ...span, how }),
      onUnfilled: nothing,
      onRejected: nothing,
      onRefused: nothing,
      onListing: nothing,
      onPhase: nothing,
      isOutage: () => true,
      onDefect: (error) => {
        throw error
      },
      onNotice: nothing
    }
  })
  return {
    pool, lines, events, closed, filled, asked,
    /** Answers of REST arrive between the ticks. */
    pass: async (ms: number) => {
      for (const end = now + ms; now < end; ) {
        now += 100
        pool.tick(now)
        await Promise.resolve()
        await Promise.resolve()
      }
    },
    say: (line: number, ...meanings: Meaning[]) => lines[line]!.onFrame(JSON.stringify(meanings)),
    ids: () => events.flatMap((e) => (e.type === 'trade' ? [`${e.id}${e.backfill ? ' late' : ''}`] : []))
  } // prettier-ignore
}

test.each([
  ['is dialled', false],
  ['is open and not yet subscribed', true]
])('a connection that dies while its successor %s hands its holes on: they are told and filled by REST', async (_, isOpen) => {
  const { pool, lines, closed, filled, asked, pass, say, ids } = open({}, () => [trade(2, 1_000_300), trade(3, 1_000_500)])
  pool.want([A])
  lines[0]!.onOpen()
  say(0, ACK, trade(1, 1_000_000))
  pool.renew('asked for')
  expect(lines).toHaveLength(2)
  if (isOpen) lines[1]!.onOpen()
  lines[0]!.onClose({ reason: 'reset' })
  expect(closed).toEqual(['A: reset'])
  await pass(600)
  if (!isOpen) lines[1]!.onOpen()
  say(1, ACK, trade(4, 1_000_900))
  await pass(3_000)
  expect(asked.map(({ path }) => path)).toEqual(['/t?1000000-1000900'])
  expect(ids()).toEqual(['1', '4', '2 late', '3 late'])
  expect(filled).toMatchObject([{ symbol: 'A', from: 1_000_000, to: 1_000_900, how: 'rest' }])
})

test('a hole that the old connection was filling is filled by its successor', async () => {
  const { pool, lines, filled, asked, closed, pass, say } = open({ countsTrades: true }, () => [trade(2, 1_000_010)])
  pool.want([A])
  lines[0]!.onOpen()
  say(0, ACK, trade(1, 1_000_000), trade(3, 1_000_020))
  pool.renew('asked for')
  lines[1]!.onOpen()
  say(1, ACK)
  lines[0]!.onClose({ reason: 'reset' })
  // It heard all that the old one did: nothing is missing but the hole.
  expect(closed).toEqual([])
  await pass(2_000)
  expect(asked).toHaveLength(1)
  expect(filled).toMatchObject([{ from: 1_000_000, to: 1_000_020, how: 'rest' }])
})

test('after an orderly change of connections nothing is asked of REST', async () => {
  const { pool, lines, closed, asked, pass, say } = open()
  pool.want([A])
  lines[0]!.onOpen()
  say(0, ACK, trade(1, 1_000_000))
  pool.renew('asked for')
  lines[1]!.onOpen()
  say(1, ACK)
  await pass(5_000)
  expect(lines[0]!.cut).toBe(true)
  expect([closed, asked]).toEqual([[], []])
})

test('a login that is never answered is not waited for: the connection is dialled anew', async () => {
  const { pool, lines, pass, closed } = open({ isAdmitted: ({ greeted }) => greeted, staleAfter: 1e9 })
  pool.want([A])
  lines[0]!.onOpen()
  await pass(9_000)
  expect(lines[0]!.cut).toBe(false)
  await pass(2_000)
  expect(lines[0]!.cut).toBe(true)
  expect(closed).toEqual(['A: login not answered for 10.0 s'])
  expect(lines).toHaveLength(2)
})

test('half open: a connection whose pings stay unanswered is dialled anew, long before its silence is too long', async () => {
  const { pool, lines, pass, say, closed } = open({ staleAfter: 600_000 })
  pool.want([A])
  lines[0]!.onOpen()
  say(0, ACK)
  await pass(100)
  expect(lines[0]!.pings).toBe(1)
  lines[0]!.onPong!()
  await pass(35_000)
  expect(closed).toEqual(['A: two pings without an answer'])
  expect(lines).toHaveLength(2)
})

test('quick failures leave attempts of the provider’s window for later, so that its return is not missed for the rest of it', async () => {
  const attempts = { count: 10, per: 60_000 }
  const limits = { subscriptionsPerConnection: 100, framesPerSecond: 50, attempts, requestsPerSecond: 100 }
  const { pool, lines, pass } = open({ limits })
  pool.want([A])
  const start = lines[0]!.at
  for (let second = 0; second < 59; second++) {
    for (const line of lines) if (!line.cut) Object.assign(line, { cut: true }).onClose({ reason: 'refused' })
    await pass(1_000)
  }
  const times = lines.map(({ at }) => at - start)
  expect(times.length).toBeLessThanOrEqual(10)
  const waits = times.map((time, i) => (times[i + 1] ?? 59_000) - time)
  expect(Math.max(...waits)).toBeLessThanOrEqual(25_000)
})
