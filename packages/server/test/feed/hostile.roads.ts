/** How the frames of a tape reach the feed: by a socket or a server on loopback, each as the provider would be reached, and at once. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { overHttp, type Transport } from '../../src/connection/http.ts'
import { openLink, type Dial } from '../../src/connection/link.ts'
import { createFeed, type FeedLog, type FeedOptions } from '../../src/feed/feed.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { createPlant } from '../../src/plant/plant.ts'
import type { Access, Adapter, Frame } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { quietLog } from './venue.ts'

export const NOW = 1_795_000_000_000

export type Watched = {
  provider: string
  symbol: string
  kind: 'trade' | 'ticker' | 'news'
  access?: (base: string) => Access
  /** What the provider's REST answers while the feed opens, by path. */
  rest?: (path: string, base: string) => { body: string; headers?: Record<string, string> } | undefined
}
/** One feed of one provider, opened anew for each kind of malformed data. */
export type Line = {
  /** Done when the feed has dealt with it. */
  say: (frame: Frame) => Promise<void>
  heard: () => number
  refused: () => Record<string, number>
  /** What was refused with the provider's own words, as of a subscription or of a call. */
  rejected: () => number
  stop: () => Promise<void>
}
export type Road = { open: () => Promise<Line>; stop: () => Promise<void> }

export const turn = () => new Promise((resolve) => setImmediate(resolve))
const PATIENCE = 10_000
export async function until(condition: () => boolean, what: string): Promise<void> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > PATIENCE) throw new Error(`in vain waited for: ${what}`)
    await turn()
  }
}

/** A clock that stands still until it is moved, and what is due by it: no test here waits for time. */
export function openTime() {
  type Due = { at: number; act: () => void; every?: number }
  const due = new Set<Due>()
  let now = NOW
  let calls = 0
  const add = (one: Due) => {
    due.add(one)
    return () => void due.delete(one)
  }
  return {
    clock: () => now,
    /** How many calls were ordered for later so far. */
    ordered: () => calls,
    timers: {
      after(ms: number, act: () => void) {
        calls++
        if (ms > 0) return add({ at: now + ms, act })
        const soon = setImmediate(act)
        return () => clearImmediate(soon)
      },
      every: (ms: number, act: () => void) => add({ at: now + ms, act, every: ms })
    },
    move(ms: number) {
      now += ms
      for (const one of [...due].filter(({ at }) => at <= now)) {
        if (one.every === undefined) due.delete(one)
        else one.at = now + one.every
        one.act()
      }
    }
  }
}
type Time = ReturnType<typeof openTime>

async function listen(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    server,
    base: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** What the provider says of itself is left out of the way: its listing, and how seldom it wants to be asked. */
export const unlisted = (provider: string): Adapter => {
  const { listing: _listing, limits, ...rest } = providers[provider]!
  return { ...rest, limits: { ...limits, requestsPerSecond: 1_000, requests: [] } }
}

type Own = Partial<Pick<FeedOptions, 'clock' | 'timers'>> &
  Pick<FeedOptions['providers'][number], 'dial' | 'rest' | 'transport' | 'adapter'>
export async function openFeed({ provider, symbol, kind, access }: Watched, base: string, { clock, timers, ...own }: Own) {
  const plant = createPlant({ epoch: 'test' })
  const instruments = createInstruments()
  let rejected = 0
  const log: FeedLog = { ...quietLog, warn: (_fields, what) => void (rejected += what === 'provider rejected' ? 1 : 0) }
  const readAccess = () => ({ key: 'k', secret: 's', ...access?.(base) })
  const feed = createFeed({
    providers: [{ wsUrl: base.replace('http', 'ws'), restUrl: base, readAccess, ...own }],
    plant,
    instruments,
    clock: clock ?? Date.now,
    ...(timers && { timers }),
    random: () => 0.5,
    log,
    simulated: true
  })
  if (kind !== 'news') instruments.add(provider, [{ symbol, base: 'ONE', quote: 'USD', trading: true }])
  await feed.start()
  const instrument = kind === 'news' ? 'all' : 'ONE-USD'
  let heard = 0
  plant.subscribe(`${kind}:${instrument}@${provider}`, () => void heard++)
  feed.want({ kind, instrument })
  return {
    feed,
    heard: () => heard,
    refused: () => feed.providers()[0]!.refused,
    rejected: () => rejected
  }
}

/** A WebSocket of the provider. `greeting` is what it says first. */
export async function socketRoad(watched: Watched, greeting: readonly Frame[] = []): Promise<Road> {
  let base = ''
  const http = await listen((request, response) => {
    const answer = watched.rest?.(request.url!, base)
    response.writeHead(answer ? 200 : 404, answer?.headers).end(answer?.body ?? 'no such path')
  })
  base = http.base
  const ws = new WebSocketServer({ server: http.server })
  let socket: WebSocket | undefined
  ws.on('connection', (fresh) => {
    socket = fresh
    for (const frame of greeting) fresh.send(frame)
  })

  async function open(): Promise<Line> {
    const time = openTime()
    let dealtWith = 0
    socket = undefined
    const dial: Dial = ({ url: _url, ...target }, hooks) =>
      openLink(
        { ...target, url: http.base.replace('http', 'ws') },
        {
          ...hooks,
          onFrame(frame) {
            hooks.onFrame(frame)
            dealtWith++
          }
        }
      )
    const { feed, ...seen } = await openFeed(watched, base, { ...time, dial, adapter: unlisted(watched.provider) })
    await until(() => (time.move(100), socket !== undefined && dealtWith === greeting.length), 'a connection')
    // What the adapter says and asks once it is let in.
    for (let i = 0; i < 5; i++) {
      time.move(100)
      await turn()
    }
    return {
      ...seen,
      async say(frame) {
        const before = dealtWith
        socket!.send(frame)
        await until(() => dealtWith > before, 'the feed to deal with a frame')
      },
      async stop() {
        await feed.stop()
        socket?.terminate()
      }
    }
  }
  return {
    open,
    async stop() {
      ws.close()
      await http.stop()
    }
  }
}

/** A provider that is asked again and again: `say` is its next answer to what `asks` for it. */
export async function polledRoad(watched: Watched, asks: (path: string) => boolean, longest: number): Promise<Road> {
  let current: Frame = ''
  let answered = 0
  let time: Time
  let ordered = 0
  let base = ''
  const http = await listen((request, response) => {
    const path = request.url!
    const other = asks(path) ? undefined : watched.rest?.(path, base)
    if (!asks(path)) {
      response.writeHead(other ? 200 : 404, other?.headers).end(other?.body ?? 'no such path')
      return
    }
    ordered = time.ordered()
    response.end(current, () => void answered++)
  })
  base = http.base

  // While a call travels time stands still: it is real there, and hours of ours would pass.
  let travelling = 0
  const transport: Transport = (request) => {
    travelling++
    return overHttp(request).finally(() => travelling--)
  }

  async function open(): Promise<Line> {
    time = openTime()
    const access = () => ({ feed: `${base}/feed`, ...watched.access?.(base) })
    const own = { ...time, adapter: unlisted(watched.provider), dial: noSocket, transport }
    const { feed, ...seen } = await openFeed({ ...watched, access }, base, own)
    return {
      ...seen,
      async say(frame) {
        current = frame
        const before = answered
        let moved = 0
        await until(() => {
          if (answered > before) return true
          if (travelling === 0 && moved < longest) {
            time.move(10_000)
            moved += 10_000
          }
          return false
        }, 'a question')
        // The next question is ordered once the answer was dealt with.
        await until(() => time.ordered() > ordered, 'the feed to deal with an answer')
      },
      stop: () => feed.stop()
    }
  }
  return { open, stop: () => http.stop() }
}

/** Where only the answers are of interest, the socket is open and says nothing. */
const noSocket: Dial = (_target, hooks) => {
  queueMicrotask(hooks.onOpen)
  return { send: () => undefined, close: () => undefined }
}
