/** The page's one connection: what it carries goes into rows and the desk, and what happens to it becomes words. */
import {
  isTopicError,
  noticesOf,
  parseTopic,
  type Client,
  type ConnectionState,
  type Gap,
  type GapFilled,
  type Kind,
  type Published,
  type Status,
  type SubscribeOptions,
  type TopicResult
} from '@tickwire/client'
import { useEffect, useRef } from 'react'
import { hearPast, setServerTime, serverNow } from './clock.ts'
import { isReplay, say, useDesk } from './desk.ts'
import { client, onClient, onTurn, turnTo } from './link.ts'
import { mark } from './marks.ts'
import { contractNotice, filledNotice, gapNotice, lostNotice, statusNotice } from './notices.ts'
import { touch } from './pulse.ts'
import { fetchTrades } from './rest.ts'
import { foldRow, openRow, seedPoints, type Row } from './row.ts'
import { tokenNow, wantToken } from './token.ts'

const rows = new Map<string, Row>()
const subscriptions = new Map<string, Watching>()
const set = useDesk.setState
/** Since when the notices of each topic come here, on this page's clock. */
const noticedSince = new Map<string, number>()
let received = 0

export const rowOf = (id: string): Row => {
  let row = rows.get(id)
  if (!row) rows.set(id, (row = openRow(id)))
  return row
}

/** Rows that were seen trading and want a past for their sparkline. One request at a time, after the first prices. */
const unseeded: string[] = []
const SEED_AFTER_MS = 1_500
const SEED_TRADES = 400
let seeding = false

async function seed(): Promise<void> {
  seeding = true
  await new Promise((done) => setTimeout(done, SEED_AFTER_MS))
  for (let id = unseeded.shift(); id !== undefined; id = unseeded.shift()) {
    const { turn } = useDesk.getState()
    const answer = await fetchTrades(id, SEED_TRADES)
    if (!answer.ok) continue
    // A row of another turn has the same id.
    if (turn !== useDesk.getState().turn) continue
    seedPoints(rowOf(id), answer.value)
    touch(`row:${id}`)
  }
  seeding = false
}

function wantPast(id: string): void {
  if (isReplay()) return
  unseeded.push(id)
  if (!seeding) void seed()
}

const noticesFor = (topics: readonly string[]): string[] =>
  topics.flatMap((text) => {
    const topic = parseTopic(text)
    return isTopicError(topic) ? [] : noticesOf(topic)
  })

type Watching = { close: () => void }
const REPLACED: ReadonlySet<Kind> = new Set([
  'quote',
  'ticker',
  'book',
  'liquidity',
  'change',
  'breadth',
  'arbitration',
  'provider'
])
const isReplaced = (text: string): boolean => {
  const topic = parseTopic(text)
  return !isTopicError(topic) && REPLACED.has(topic.kind)
}

/** Data comes to the callback. The notices that come with it are for the whole page, so they come to `notice`. */
function subscribe(
  topics: readonly string[],
  onEvent: (event: Published) => void,
  options?: Pick<SubscribeOptions, 'onResult'>
): Watching {
  for (const name of noticesFor(topics)) if (!noticedSince.has(name)) noticedSince.set(name, Date.now())
  const counted = (event: Published): void => {
    received++
    if (event.replay !== undefined) hearPast(event.published)
    onEvent(event)
  }
  // A person sees nothing of what was replaced within a frame; of trades and stories each counts.
  const latest = topics.filter(isReplaced)
  const each = topics.filter((topic) => !isReplaced(topic))
  const parts = [
    ...(latest.length > 0 ? [client.subscribe(latest, counted, { ...options, contract: { delivery: 'latest' } })] : []),
    ...(each.length > 0 ? [client.subscribe(each, counted, options)] : [])
  ]
  return { close: () => parts.forEach((part) => part.close()) }
}

function take(event: Published): void {
  const row = rowOf(event.instrument)
  if (event.type === 'trade' && !row.traded) wantPast(event.instrument)
  if (!foldRow(row, event, performance.now())) return
  touch(`row:${event.instrument}`)
}

/** What happened before this page listened is no news. */
function isNews({ topic, published }: Published): boolean {
  const since = noticedSince.get(topic)
  return since !== undefined && published >= since - Date.now() + serverNow()
}

/** A decision or a hole. What is no news is still shown with its instrument. */
function notice(event: Published<Status> | Published<Gap>): void {
  received++
  const row = rowOf(event.instrument)
  const before = event.type === 'status' ? row.decisions[event.kind] : undefined
  foldRow(row, event, performance.now())
  touch(`row:${event.instrument}`)
  if (!isNews(event)) return
  const news = event.type === 'gap' ? gapNotice(event) : statusNotice(event, before)
  if (news) say(news)
}

/** What a provider had lost is here. */
function filled(event: Published<GapFilled>): void {
  received++
  if (isNews(event)) say(filledNotice(event))
}

const topicsOf = (id: string): string[] => [`quote:${id}`, `trade:${id}`, `ticker:${id}`]

onTurn(() => {
  rows.clear()
  subscriptions.clear()
  noticedSince.clear()
  unseeded.length = 0
  epoch = undefined
  wasOpen = false
})

/** Holds exactly these instruments' topics. */
export function holdRows(ids: readonly string[]): void {
  for (const [id, subscription] of subscriptions) {
    if (ids.includes(id)) continue
    subscription.close()
    subscriptions.delete(id)
    for (const name of noticesFor(topicsOf(id))) noticedSince.delete(name)
  }
  for (const id of ids) if (!subscriptions.has(id)) subscriptions.set(id, subscribe(topicsOf(id), take))
}

export function holdProviders(names: readonly string[]): Watching | undefined {
  if (names.length === 0) return undefined
  return subscribe(
    names.map((name) => `provider:${name}`),
    (event) => {
      if (event.type === 'provider') set((desk) => ({ providers: { ...desk.providers, [event.provider]: event } }))
    }
  )
}

/** The news for as long as the page lives, so that they are there when somebody looks. */
export const holdNews = (onStory: (event: Published) => void, onRefused: (text: string) => void): Watching =>
  subscribe(['news:all'], onStory, { onResult: (result) => !result.ok && onRefused(result.message) })

/** Subscribes while the component is shown. Refusals are handed to `onRefused` as sentences. */
export function useTopics(
  topics: readonly string[],
  onEvent: (event: Published) => void,
  onRefused?: (text: string) => void
): void {
  const handlers = useRef({ onEvent, onRefused })
  handlers.current = { onEvent, onRefused }
  const key = topics.join(' ')
  useEffect(() => {
    if (key === '') return undefined
    const onResult = (result: TopicResult): void => {
      if (!result.ok) handlers.current.onRefused?.(result.message)
    }
    const subscription = subscribe(key.split(' '), (event) => handlers.current.onEvent(event), { onResult })
    return () => subscription.close()
  }, [key])
}

// ---- what happens to the connection --------------------------------------------------------------------------------

let epoch: string | undefined
let wasOpen = false
let tally = { resumed: 0, reset: 0 }
let telling: ReturnType<typeof setTimeout> | undefined

function onState(state: ConnectionState): void {
  if (state.phase === 'open' && state.hello) {
    const before = epoch
    epoch = state.hello.epoch
    if (!isReplay()) {
      setServerTime(state.hello.now)
      set({ mode: state.hello.mode })
    }
    mark('open', true)
    if (before !== undefined && before !== epoch) restarted()
    else if (before !== undefined) tellResumed()
    wasOpen = true
  } else if (wasOpen && (state.phase === 'waiting' || state.phase === 'closed')) {
    wasOpen = false
    tally = { resumed: 0, reset: 0 }
    clearTimeout(telling)
    set({ comeback: undefined })
    say({ at: serverNow(), kind: 'connection', tone: 'bad', text: plainReason(state) })
  }
  set({ connection: state })
}

/** The reason without the wait that ends it: the header counts that down by itself. */
export const plainReason = (state: ConnectionState): string => state.reason.replace(/ Trying again in .*$/, '')

function comeback(kind: 'restarted' | 'resumed', tone: 'good' | 'warn', text: string): void {
  set({ comeback: { at: Date.now(), kind, tone, text } })
  say({ at: serverNow(), kind, tone, text: `Back again: ${text}.` })
  mark(kind, true)
}

function restarted(): void {
  // The new server decides anew who leads: what the old one decided explains nothing any more.
  for (const row of rows.values()) row.decisions = {}
  comeback('restarted', 'warn', 'server restarted: new epoch, snapshots reloaded')
}

/** The answers per topic come just after the opening: what they say together is told once. */
function tellResumed(): void {
  telling = setTimeout(() => {
    if (tally.reset === 0) comeback('resumed', 'good', 'resumed: nothing missed')
    else
      comeback(
        'resumed',
        'warn',
        `away too long: ${tally.reset} of ${tally.reset + tally.resumed} topics reloaded from snapshots`
      )
  }, 800)
}

/** The token is not valid, or none came in time, or a new one was no better. */
const UNAUTHORIZED = /: 450[14] |new token was no better/

/** All that a client says of itself. */
function watch(one: Client): (() => void)[] {
  const used = tokenNow()
  const state = (now: ConnectionState): void => {
    onState(now)
    if (now.phase === 'closed' && UNAUTHORIZED.test(now.reason)) wantToken(used)
  }
  state(one.state())
  return [
    one.on('state', state),
    one.on('resumed', () => tally.resumed++),
    one.on('reset', ({ previous, position }) => {
      tally.reset++
      // It was sent elsewhere: what came of where it was before must not stay on the page.
      if (isReplay() && previous.epoch !== position.epoch)
        queueMicrotask(() => one === client && turnTo(useDesk.getState().replay))
    }),
    one.on('lost', (lost) => say(lostNotice(serverNow(), lost))),
    one.on('contract', (contracted) => say(contractNotice(serverNow(), contracted))),
    one.on('status', notice),
    one.on('gap', (gap) => {
      if (gap.source === 'provider') return notice(gap.event)
      const text = `Between server and page: ${gap.topic} ${gap.from} to ${gap.to} never came.`
      say({ at: serverNow(), kind: 'gap', tone: 'bad', text, group: 'hole' })
    }),
    one.on('gap_filled', filled),
    one.on('error', ({ message }) => say({ at: serverNow(), kind: 'error', tone: 'bad', text: message, group: message })),
    one.on('shutdown', ({ retryAfterMs, reason }) =>
      say({
        at: serverNow(),
        kind: 'shutdown',
        tone: 'warn',
        text: `The server goes down: ${reason} (back in about ${retryAfterMs / 1_000} s)`
      })
    )
  ]
}

/** Begins to watch the connection; called once, before the first render. */
export function watchConnection(): void {
  onClient(watch)
  let before = 0
  setInterval(() => {
    set({ rate: received - before, total: received })
    before = received
  }, 1_000)
}
