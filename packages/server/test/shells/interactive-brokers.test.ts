import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Ending } from '../../src/connection/link.ts'
import type { Frame } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { at, open, shellAt, stopAll, tws, until } from './interactive-brokers.rig.ts'
import { ready } from './tws.ts'

afterEach(stopAll)

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
