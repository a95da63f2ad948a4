import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Decoded } from '../../src/feed/connection.ts'
import type { Ending } from '../../src/feed/link.ts'
import { createPool, type Pool } from '../../src/feed/pool.ts'
import type { Access, Frame } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { openInteractiveBrokers } from '../../src/shells/interactive-brokers.ts'
import { details, openTws, ready, type Answerer, type Tws } from './tws.ts'

const open: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})
async function tws(answer: Answerer, greet = ready): Promise<Tws> {
  const server = await openTws(answer, greet)
  open.push(server)
  return server
}
const at = (port: number, clientId = 0) => `ib://127.0.0.1:${port}?clientId=${clientId}`
const shellAt = (wsUrl: string, access: Access = {}) => openInteractiveBrokers({ wsUrl, readAccess: () => access })

/** A connection by the shell alone. */
function dial(url: string, shell = shellAt(url)) {
  const frames: Frame[] = []
  const endings: Ending[] = []
  let opened = false
  const link = shell.dial(
    { url },
    {
      onOpen: () => void (opened = true),
      onFrame: (frame) => void frames.push(frame),
      onClose: (ending) => void endings.push(ending)
    }
  )
  open.push({ stop: () => link.close() })
  const events = () => frames.flatMap((frame) => JSON.parse(frame as string) as { event: string; args: unknown[] })
  return { link, frames, endings, events, isOpen: () => opened }
}

const until = <T>(what: () => T) => vi.waitFor(what, { timeout: 5_000, interval: 5 })

/** It resolves contracts, sends a quote and a trade, tells the time and has two bars. */
const market: Answerer = ([code, , ...rest], peer) => {
  if (code === '9') details(peer, rest[0]!, rest[2]!, 265_598)
  if (code === '1') {
    const id = rest[0]!
    peer.send(58, 1, id, 1)
    peer.send(1, 6, id, 1, 293.6, 300, 0)
    peer.send(2, 6, id, 0, 300)
    peer.send(1, 6, id, 2, 293.7, 200, 0)
    peer.send(1, 6, id, 4, 293.65, 100, 0)
  }
}

describe('the SDK, connected to a TWS', () => {
  function pooled(wsUrl: string, access: Access = {}) {
    const events: Decoded[] = []
    const rejected: string[] = []
    const shell = shellAt(wsUrl, access)
    const pool: Pool = createPool({
      adapter: adapter as never,
      wsUrl,
      restUrl: '',
      access,
      clock: Date.now,
      random: () => 0,
      ...shell,
      hooks: {
        onEvent: (event) => void events.push(event),
        onGap: () => undefined,
        onClosed: () => undefined,
        onRejected: (reason) => void rejected.push(reason),
        onRefused: () => undefined,
        onListing: () => undefined,
        onPhase: () => undefined,
        isOutage: () => false,
        onDefect: (error) => {
          throw error
        },
        onNotice: () => undefined
      }
    })
    const timer = setInterval(() => pool.tick(Date.now()), 20)
    open.push({
      stop() {
        clearInterval(timer)
        pool.stop()
      }
    })
    return { pool, events, rejected, shell }
  }

  test('[S4-14] a wish becomes a resolved contract, a line and a quote', async () => {
    const server = await tws(market)
    const { pool, events } = pooled(at(server.port, 7))
    pool.want([
      { kind: 'quote', symbol: 'AAPL' },
      { kind: 'ticker', symbol: 'AAPL' }
    ])
    await until(() => expect(events.length).toBe(2))
    expect(events).toMatchObject([
      { type: 'quote', symbol: 'AAPL', bid: 293.6, bidSize: 300, ask: 293.7, askSize: 200 },
      { type: 'ticker', last: 293.65 }
    ])
    expect(server.peers.map(({ clientId }) => clientId)).toEqual([7])
    expect(server.asked.map(([code]) => code).slice(0, 3)).toEqual(['59', '9', '1'])
    expect(server.asked[2]!.slice(3, 5)).toEqual(['265598', 'AAPL'])
  })
  test('an unknown symbol is refused, and the connection stays', async () => {
    const server = await tws(([code, , id], peer) => {
      if (code === '9') peer.send(4, 2, id!, 200, 'No security definition has been found for the request', '')
    })
    const { pool, rejected } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'NOPE' }])
    await until(() => expect(rejected).toEqual(['No security definition has been found for the request (200)']))
    expect(pool.anyLive()).toBe(true)
  })
  test('what a connection lost is asked for again on the next one, with fresh ids', async () => {
    const server = await tws(market)
    const { pool, events } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'AAPL' }])
    await until(() => expect(events.length).toBe(1))
    server.peers[0]!.close()
    await until(() => expect(events.length).toBe(2))
    expect(server.peers.length).toBe(2)
  })
  test('past candles come over the same connection, and the same question at once is asked once', async () => {
    const server = await tws((fields, peer) => {
      market(fields, peer)
      if (fields[0] !== '20') return
      const rows = [
        ['1767623400', 293, 294, 292, 293.5, 1_000, 293.2, 10],
        ['1767623460', 293.5, 293.6, 293.4, 293.5, 500, 293.5, 5]
      ]
      peer.send(17, fields[1]!, 'a', 'b', rows.length, ...rows.flat())
    })
    const { pool, events } = pooled(at(server.port))
    pool.want([{ kind: 'quote', symbol: 'AAPL' }])
    await until(() => expect(events.length).toBe(1))
    const need = adapter.history!('AAPL', '1m', 2, Date.now(), {})
    const answers = await Promise.all([pool.rest.get(need), pool.rest.get(need)])
    const [answer] = answers
    expect(answer).toMatchObject({ ok: true, status: 200 })
    const candles = answer?.ok ? adapter.decode(answer.body, Date.now(), adapter.open({}), need) : []
    expect(candles).toMatchObject([
      { type: 'candle', start: 1_767_623_400_000, volume: 1_000, trades: 10, closed: true },
      { type: 'candle', start: 1_767_623_460_000, close: 293.5 }
    ])
    expect(server.asked.filter(([code]) => code === '20').length).toBe(1)
    expect(server.peers.length).toBe(1)
  })
})

describe('the shell', () => {
  test('past candles without a subscription open a connection of their own, and close it', async () => {
    const server = await tws(([code, id], peer) => {
      if (code === '20') peer.send(17, id!, 'a', 'b', 1, '1767623400', 293, 294, 292, 293.5, 1_000, 293.2, 10)
    })
    const answer = await shellAt(at(server.port, 3)).rest!.get(adapter.history!('AAPL', '1m', 1, 0, {}))
    expect(answer.ok).toBe(true)
    expect(server.peers.map(({ clientId }) => clientId)).toEqual([4])
  })
  test('an error is the answer, and nobody who listens is no answer', async () => {
    const server = await tws(([code, id], peer) => {
      if (code === '20') peer.send(4, 2, id!, 162, 'HMDS query returned no data', '')
    })
    const need = adapter.history!('AAPL', '1m', 1, 0, {})
    const answer = await shellAt(at(server.port)).rest!.get(need)
    expect(answer.ok && adapter.decode(answer.body, 1, adapter.open({}), need)).toMatchObject([
      { type: 'reject', reason: 'HMDS query returned no data (162)' }
    ])
    await server.stop()
    expect(await shellAt(at(server.port)).rest!.get(need)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is TWS or the Gateway running')
    })
    expect(await shellAt(at(server.port)).rest!.get({ path: 'history' })).toMatchObject({ ok: false })
  })
  test('a refused connection says what to look at', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const { endings, isOpen } = dial(at(port))
    await until(() => expect(endings.length).toBe(1))
    expect(endings[0]!.reason).toMatch(
      /127\.0\.0\.1:\d+ is not reached .*ECONNREFUSED.*TWS or the Gateway running.*API switched on.*7496.*7497.*4001.*4002/
    )
    expect(isOpen()).toBe(false)
  })
  test('it is open when TWS is ready, and what was told before is not lost', async () => {
    const server = await tws(() => undefined)
    const { events, isOpen } = dial(at(server.port))
    await until(() => expect(events().map(({ event }) => event)).toEqual(['server', 'managedAccounts', 'info', 'nextValidId']))
    expect(isOpen()).toBe(true)
    expect(events()[2]).toEqual({ event: 'info', args: ['Market data farm connection is OK:usfarm', 2104] })
  })
  test('unset doubles come as null, errors as text, and ticks of one turn in one frame', async () => {
    const server = await tws((_, peer) => {
      peer.send(1, 6, 5, 1, '1.7976931348623157E308', '', 0)
      peer.send(1, 6, 5, 2, 'NaN', 'Infinity', 0)
      peer.send(4, 2, 5, 354, 'Requested market data is not subscribed', '')
    })
    const { link, events, isOpen } = dial(at(server.port))
    await until(() => expect(isOpen()).toBe(true))
    link.send('{"call":"reqCurrentTime","args":[]}')
    await until(() => expect(events().at(-1)?.event).toBe('error'))
    expect(events().slice(4)).toMatchObject([
      { event: 'tickPrice', args: [5, 1, null, false] },
      { event: 'tickPrice', args: [5, 2, null, false] },
      { event: 'tickSize', args: [5, 3, null] },
      { event: 'error', args: ['Requested market data is not subscribed', 354, 5, null] }
    ])
  })
  test('a client id that others use is followed by the next one', async () => {
    const server = await tws(
      () => undefined,
      (peer) =>
        peer.clientId === 5 ? peer.send(4, 2, -1, 326, 'Unable to connect as the client id is already in use', '') : ready(peer)
    )
    const shell = shellAt(at(server.port, 5))
    const first = dial(at(server.port, 5), shell)
    await until(() => expect(first.endings[0]?.reason).toContain('client id 5 is in use'))
    const second = dial(at(server.port, 5), shell)
    await until(() => expect(second.isOpen()).toBe(true))
    expect(server.peers.map(({ clientId }) => clientId)).toEqual([5, 6])
  })
  test('what the SDK cannot read ends the connection, not the process', async () => {
    const server = await tws((_, peer) => peer.send(4, 2, 5, 354, 'no', '{not json'))
    const { link, endings, isOpen } = dial(at(server.port))
    await until(() => expect(isOpen()).toBe(true))
    link.send('{"call":"reqCurrentTime","args":[]}')
    await until(() => expect(endings[0]?.reason).toContain('could not read'))
  })
  test('bytes that are no message, and a message of a number that nobody knows, do no harm', async () => {
    const server = await tws((_, peer) => {
      peer.send(9_999, 1)
      peer.send(1, 6)
      peer.raw(Buffer.from([0, 0, 0, 3, 0xff, 0xfe, 0]))
      peer.send(49, 1, 1_767_623_400)
    })
    const { link, events, endings, isOpen } = dial(at(server.port))
    await until(() => expect(isOpen()).toBe(true))
    link.send('{"call":"reqCurrentTime","args":[]}')
    await until(() => expect(endings.length > 0 || events().some(({ event }) => event === 'currentTime')).toBe(true))
  })
  test.each(['placeOrder', 'cancelOrder', 'reqGlobalCancel', 'connect', 'constructor'])('%s is not called', async (call) => {
    const server = await tws(() => undefined)
    const { link, events, isOpen } = dial(at(server.port))
    await until(() => expect(isOpen()).toBe(true))
    link.send(JSON.stringify({ call, args: [1, {}] }))
    await until(() =>
      expect(events().at(-1)).toMatchObject({ event: 'error', args: ['no call that the SDK may be asked', 320, 1] })
    )
    expect(server.asked).toEqual([])
  })
  test('TWS closing is an ending with its reason; after our own close nothing is said', async () => {
    const server = await tws(() => undefined)
    const lost = dial(at(server.port))
    const left = dial(at(server.port, 1))
    await until(() => expect(lost.isOpen() && left.isOpen()).toBe(true))
    left.link.close()
    for (const peer of server.peers) peer.close()
    await until(() => expect(lost.endings).toEqual([{ reason: 'TWS closed the connection' }]))
    expect(left.endings).toEqual([])
  })
})
