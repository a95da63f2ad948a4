/** A TWS that goes mad: messages of the right shape with wrong values, of the wrong shape, and bytes that are no messages. */
import { openLink, type Dial } from '../../src/connection/link.ts'
import type { Frame } from '../../src/providers/adapter.ts'
import { openInteractiveBrokers } from '../../src/shells/interactive-brokers.ts'
import { details, openTws, type Answerer, type Peer } from '../shells/tws.ts'
import type { Malformed } from './hostile.kinds.ts'
import { NOW, openFeed, openTime, turn, unlisted, type Line } from './hostile.roads.ts'
import type { Tape } from './hostile.tape.ts'

type Fields = readonly (string | number)[]
/** Stands for the number of our request, which the connection at hand knows. */
const ID = '$id'
const said = (...fields: Fields): string => fields.join('\0')
const TICK = 99
const tick = (part: { time?: Fields[0]; price?: Fields[0]; size?: Fields[0]; id?: Fields[0]; kind?: Fields[0] }): string => {
  const { time = Math.floor(NOW / 1_000), price = 100.5, size = 2, id = ID, kind = 2 } = part
  return said(TICK, id, kind, time, price, size, 0, 'ARCA', '')
}
const good = (n: number): string => tick({ time: Math.floor(NOW / 1_000) + n })

const NO_NUMBER = [
  '',
  ' ',
  'abc',
  'NaN',
  'Infinity',
  '-Infinity',
  'null',
  'true',
  '{}',
  '1e400',
  '-1',
  '１００',
  '1.7976931348623157E308'
]
const values = (name: string, list: Fields, of: (value: Fields[0]) => string): Malformed[] =>
  list.map((value): Malformed => [`${name} ${JSON.stringify(value)}`, of(value)])

const framed = (fields: string): Buffer => {
  const body = Buffer.from(`${fields}\0`)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}
const length = (value: number): Buffer => {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** What belongs to no request of ours: it may be late for one that was cancelled. */
const strangers = (): Malformed[] => [
  ...values('request', ['', 'abc', 'NaN', '-1', '99999', '1e400', '__proto__'], (id) => tick({ id })),
  ['a price of a line that there is not', said(1, 6, 5_000, 1, 'abc', 5, 0)],
  ['a depth of a book that there is not', said(12, 1, 5_000, 'x', 'y', 'z', 'NaN', 'NaN')]
]

const kinds = (): readonly Malformed[] => [
  ...values('price', [...NO_NUMBER, 0, '1e30', '-0'], (price) => tick({ price })),
  ...values('size', [...NO_NUMBER, 0, '1e30'], (size) => tick({ size })),
  ...values('time', ['', ' ', 'noon', 'NaN', 'Infinity', '-1', 0, '1e30', '20260105 09:30:00'], (time) => tick({ time })),
  ...strangers(),
  ...values('kind of tick', ['', 'abc', '-1', 99], (kind) => tick({ kind })),
  ['a message of an unknown number', said(9_999, ID, 1)],
  ['a message whose number is a word', said('price', ID, 1)],
  ['a message of no fields', ''],
  ['a message of its number alone', said(TICK)],
  ['a message cut after its request', said(TICK, ID)],
  ['a message cut after its price', said(TICK, ID, 2, Math.floor(NOW / 1_000), 100.5)],
  ['an error without words', said(4, 2)],
  ['a length of nothing', length(0)],
  ['a length below nothing', length(-4)],
  ['a length of four thousand million', length(4_000_000_000)],
  ['noise', Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7_919 + 131) % 256))],
  ['bars by the million, of which one comes', said(17, ID, 'a', 'b', 1_000_000, 'x')],
  ['ticks by the million, of which none comes', said(98, ID, 33_000_000)],
  ['half a million fields', `9999${'\0'.repeat(500_000)}`],
  ['a hundred thousand escapes', said(4, 2, -1, 1, '\\u0041'.repeat(100_000), '')],
  ['a web page', Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n<html></html>')]
]

const PATIENCE = 10_000

/** A TWS and a feed for each kind: what ends a connection makes the feed wait ever longer before the next. */
async function open(): Promise<Line> {
  const ids = new Map<Peer, string>()
  const answer: Answerer = ([code, id, third, , symbol], peer) => {
    if (code === '9') details(peer, third!, symbol!, 265_598)
    if (code === '97') ids.set(peer, id!)
    if (code === '49') peer.send(49, 1, Math.floor(NOW / 1_000))
  }
  const server = await openTws(answer)
  const wsUrl = `ib://127.0.0.1:${server.port}`
  const { dial: dialTws, rest } = openInteractiveBrokers({ wsUrl, readAccess: () => ({}) })
  const time = openTime()
  let marked = 0
  let read = 0
  let ended = 0
  const dial: Dial = (target, hooks) =>
    (dialTws ?? openLink)(target, {
      ...hooks,
      onFrame(frame) {
        hooks.onFrame(frame)
        for (const [, n] of String(frame).matchAll(/"mark (\d+)"/g)) read = Number(n)
      },
      onClose(ending) {
        ended++
        hooks.onClose(ending)
      }
    })
  const own = { ...time, dial, ...(rest && { rest }), adapter: unlisted('interactive-brokers') }
  const watched = { provider: 'interactive-brokers', symbol: 'AAPL', kind: 'trade' } as const
  const { feed, heard, refused, rejected } = await openFeed(watched, wsUrl, own)

  /** Time runs fifty times as fast as ours: what waits for the next connection does not wait long. */
  async function until(condition: () => boolean, what: string): Promise<void> {
    const start = performance.now()
    for (let before = start; !condition();) {
      const now = performance.now()
      if (now - start > PATIENCE) throw new Error(`in vain waited for: ${what}`)
      time.move((now - before) * 50)
      before = now
      await turn()
    }
  }
  const current = () => server.peers.at(-1)
  const isReady = () => ids.has(current()!)

  async function say(frame: Frame): Promise<void> {
    await until(isReady, 'a connection that is asked for trades')
    const [peer, over, mark] = [current()!, ended, ++marked]
    peer.raw(typeof frame === 'string' ? framed(frame.replace(ID, ids.get(peer)!)) : Buffer.from(frame))
    // News of no farm. The time of day would not do: it is the answer to what the feed itself asks now and then, too.
    peer.raw(framed(said(4, 2, -1, 2104, `mark ${mark}`, '')))
    await until(() => read >= mark || ended > over, 'the feed to deal with a message')
    if (ended > over) ids.delete(peer)
  }

  return {
    heard,
    refused,
    // Bytes after which nothing can be read end the connection, with the reason.
    rejected: () => rejected() + ended,
    say,
    async stop() {
      await feed.stop()
      rest?.stop?.()
      await server.stop()
    }
  }
}

export const tws: Tape = {
  provider: 'interactive-brokers',
  what: 'messages of a TWS',
  good,
  malformed: kinds,
  road: async () => ({ open, stop: async () => undefined }),
  silent: new Set(strangers().map(([name]) => name)),
  rejects: true
}
