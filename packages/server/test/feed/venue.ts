/** A small provider of the outside world for the feed's tests: a real WebSocket and HTTP server, and the adapter for it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { adapter, type Adapter, type Meaning, type Subscription } from '../../src/providers/adapter.ts'

export type VenueSession = { frames: number; greeted: boolean }
const name = (s: Subscription) => `${s.kind}:${s.symbol}${s.interval === undefined ? '' : `:${s.interval}`}`

/** Every frame of this venue is a list of meanings, plus `[{ "throw": 1 }]`, so a test says directly what the venue says. */
export const venueAdapter = (provider: string, change: Partial<Adapter<VenueSession>> = {}): Adapter =>
  adapter<VenueSession>({
    provider,
    title: provider,
    wsUrl: '',
    restUrl: '',
    kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
    intervals: ['1m', '1h'],
    needs: [],
    about: { docs: '', coverage: '', redistribution: 'allowed', cost: 'free' },
    limits: {
      subscriptionsPerConnection: 100,
      framesPerSecond: 50,
      attempts: { count: 100, per: 1_000 },
      requestsPerSecond: 100
    },
    staleAfter: 10_000,
    listing: '/listing',
    history: (symbol, interval, limit) => ({
      type: 'need',
      path: `/candles?symbol=${symbol}&interval=${interval}&limit=${limit}`,
      purpose: 'history',
      symbol,
      interval
    }),
    open: () => ({ frames: 0, greeted: false }),
    subscribe: (wanted) => [JSON.stringify({ subscribe: wanted.map(name) })],
    unsubscribe: (unwanted) => [JSON.stringify({ unsubscribe: unwanted.map(name) })],
    decode(frame, _received, session) {
      session.frames++
      const said = JSON.parse(frame as string) as (Meaning | { throw: 1 })[]
      if (said.some((m) => 'throw' in m)) throw new Error('as asked')
      return said as Meaning[]
    },
    ...change
  }) as Adapter

export type Venue = Awaited<ReturnType<typeof openVenue>>

/** `asked` are the client's frames, in order; `say` sends meanings to every connection. */
export async function openVenue(answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {}) {
  const asked: string[] = []
  const sockets = new Set<WebSocket>()
  const requests: string[] = []
  let accepted = 0
  const server = createServer((request, response) => {
    requests.push(request.url!)
    const answer = answers[request.url!.split('?')[0]!]
    if (answer) answer(request, response)
    else response.writeHead(404).end('no such path')
  })
  const ws = new WebSocketServer({ server })
  ws.on('connection', (socket) => {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data: Buffer) => {
      asked.push(data.toString())
      const { subscribe } = JSON.parse(data.toString()) as { subscribe?: string[] }
      const acks = (subscribe ?? []).map((s) => ({ type: 'ack', kind: s.split(':')[0], symbol: s.split(':')[1] }))
      if (acks.length > 0) socket.send(JSON.stringify(acks))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    wsUrl: `ws://127.0.0.1:${port}`,
    restUrl: `http://127.0.0.1:${port}`,
    asked,
    requests,
    sockets,
    accepted: () => accepted,
    say(...meanings: unknown[]) {
      for (const socket of sockets) socket.send(JSON.stringify(meanings))
    },
    raw(text: string) {
      for (const socket of sockets) socket.send(text)
    },
    drop() {
      for (const socket of sockets) socket.terminate()
    },
    async close() {
      for (const socket of sockets) socket.terminate()
      ws.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

export const json =
  (body: unknown) =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

export const listing = json([
  {
    type: 'listing',
    rows: [
      { symbol: 'BTC/USD', base: 'BTC', quote: 'USD', trading: true },
      { symbol: 'ETH/USD', base: 'ETH', quote: 'USD', trading: true }
    ]
  }
])

/** Waits until a condition holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

export const quietLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
