/** The hooks in components that are mounted, under StrictMode, against a real server that comes and goes. */
import { createElement as h, Fragment, StrictMode, type ReactElement } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Client } from '../src/index.ts'
import { TickwireProvider, useCandles, useQuote, useStatus, useTopic } from '../src/react.ts'
import { openRoot } from './root.ts'
import { createStand, FAST, until as awaited, type Stand } from './stand.ts'

// On a busy machine a rendering takes its time.
vi.setConfig({ testTimeout: 120_000 })
const until = (condition: () => boolean) => awaited(condition, String(condition), 60_000)

let stand: Stand
let client: Client
let root: Awaited<ReturnType<typeof openRoot>>
const complaints: unknown[] = []
const complain = (error: unknown): void => void complaints.push(error)
beforeEach(async () => {
  complaints.length = 0
  process.on('unhandledRejection', complain)
  vi.spyOn(console, 'error').mockImplementation(complain)
  stand = await createStand()
  client = stand.connect()
  root = await openRoot()
})
afterEach(async () => {
  root.unmount()
  client.close()
  await stand.close()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  process.off('unhandledRejection', complain)
  expect(complaints).toEqual([])
})

/** Renders what it reads, and keeps it. */
function watcher<T>(read: () => T) {
  const seen: T[] = []
  const Watcher = (): null => {
    seen.push(read())
    return null
  }
  return { seen, Watcher }
}
const page = (...children: ReactElement[]): ReactElement =>
  h(StrictMode, {}, h(TickwireProvider, { client }, h(Fragment, {}, ...children)))
/** Without the notices that come with them. */
const topics = () => stand.topics().filter((topic) => !/^(status|gap):/.test(topic))

test('mounted twice by StrictMode, it is subscribed once and left once', async () => {
  const subscribe = vi.spyOn(client, 'subscribe')
  const { seen, Watcher } = watcher(() => useQuote('BTC-USDT')?.bid)
  root.render(page(h(Watcher), h(Watcher)))
  stand.quote(5)
  await until(() => seen.at(-1) === 5)
  expect(subscribe).toHaveBeenCalledTimes(1)
  expect(topics()).toEqual(['quote:BTC-USDT'])
  root.render(page())
  await until(() => topics().length === 0)
})

test('one that goes while it still connects leaves nothing behind, and one that comes after it is served', async () => {
  const first = watcher(() => [useQuote('BTC-USDT'), useCandles('BTC-USDT', '1m').length])
  root.render(page(h(first.Watcher)))
  await until(() => first.seen.length > 0)
  root.render(page())
  const second = watcher(() => useQuote('ETH-USDT')?.bid)
  root.render(page(h(second.Watcher)))
  stand.quote(7, 'ETH-USDT')
  await until(() => second.seen.at(-1) === 7)
  expect(topics()).toEqual(['quote:ETH-USDT'])
})

test('a topic that changes, there and back, shows nothing of the one before', async () => {
  const seen: [string, string | undefined][] = []
  const Watcher = ({ id }: { id: string }): null => {
    seen.push([id, useTopic(`quote:${id}`).event?.instrument])
    return null
  }
  for (const id of ['BTC-USDT', 'ETH-USDT', 'SOL-USDT']) stand.quote(1, id)
  for (const id of ['BTC-USDT', 'ETH-USDT', 'BTC-USDT', 'SOL-USDT', 'ETH-USDT']) {
    root.render(page(h(Watcher, { id })))
    await until(() => seen.at(-1)?.[0] === id && seen.at(-1)?.[1] === id)
  }
  expect(seen.filter(([id, shown]) => shown !== undefined && shown !== id)).toEqual([])
  await until(() => topics().join() === 'quote:ETH-USDT')
})

test('over a restart of the server it keeps what it showed, says that it is away, and goes on by itself', async () => {
  const { seen, Watcher } = watcher(() => ({ bid: useQuote('BTC-USDT')?.bid, phase: useStatus().phase }))
  root.render(page(h(Watcher)))
  stand.quote(1)
  await until(() => seen.at(-1)?.bid === 1 && seen.at(-1)?.phase === 'open')
  const { port } = stand
  await stand.die()
  await until(() => seen.at(-1)?.phase !== 'open')
  expect(seen.at(-1)?.bid).toBe(1)
  stand = await createStand({ port, epoch: 'epoch-2' })
  stand.quote(2)
  await until(() => seen.at(-1)?.bid === 2 && seen.at(-1)?.phase === 'open')
  expect(seen.slice(1).filter(({ bid }, i) => bid === undefined && seen[i]!.bid !== undefined)).toEqual([])
})

test('of thousands of updates within a frame a component is told once', async () => {
  const frames: (() => void)[] = []
  vi.stubGlobal('requestAnimationFrame', (act: () => void) => frames.push(act))
  const { seen, Watcher } = watcher(() => {
    const { event } = useTopic('trade:BTC-USDT')
    return event?.type === 'trade' ? event.price : undefined
  })
  root.render(page(...Array.from({ length: 50 }, (_, key) => h(Watcher, { key }))))
  await until(() => topics().length === 1)
  let heard = 0
  client.subscribe('trade:BTC-USDT', () => heard++)
  const rendered = seen.length
  for (let price = 1; price <= 5_000; price++) stand.trade(price)
  await until(() => heard >= 5_000)
  expect(frames).toHaveLength(1)
  expect(seen).toHaveLength(rendered)
  frames.shift()!()
  await until(() => seen.length > rendered && seen.at(-1) === 5_000)
  // Each of the fifty once, and once more by StrictMode.
  expect(seen.length - rendered).toBeLessThanOrEqual(100)
  expect(new Set(seen.slice(rendered))).toEqual(new Set([5_000]))
})

test('another client in the place of the first is read from there on, and the first is left', async () => {
  const { seen, Watcher } = watcher(() => useQuote('BTC-USDT')?.bid)
  const first = client
  root.render(page(h(Watcher)))
  stand.quote(1)
  await until(() => seen.at(-1) === 1)
  client = stand.connect({ backoff: FAST })
  root.render(page(h(Watcher)))
  await until(() => stand.gateway.connections().length === 2 && topics().length === 1)
  stand.quote(2)
  await until(() => seen.at(-1) === 2)
  first.close()
})

test('a past that is answered by something else is no past, and ends nothing', async () => {
  const fetched = vi.fn(() => Promise.resolve(new Response('{"signed":"out"}')))
  vi.stubGlobal('fetch', fetched)
  const { seen, Watcher } = watcher(() => useCandles('BTC-USDT', '1m').length)
  root.render(h(StrictMode, {}, h(TickwireProvider, { client, url: stand.url }, h(Watcher))))
  await until(() => fetched.mock.calls.length > 0 && topics().length === 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen.at(-1)).toBe(0)
})
