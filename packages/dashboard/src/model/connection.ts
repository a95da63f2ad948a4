/** What the page's connection carries goes into rows and the desk. */
import {
  isTopicError,
  noticesOf,
  parseTopic,
  type Gap,
  type GapFilled,
  type Kind,
  type Published,
  type Status,
  type SubscribeOptions,
  type TopicResult
} from '@tickwire/client'
import { useEffect, useRef } from 'react'
import { hearPast, serverNow } from './clock.ts'
import { isReplay, say, useDesk } from './desk.ts'
import { client, onTurn } from './link.ts'
import { filledNotice, gapNotice, statusNotice } from './notices.ts'
import { touch } from './pulse.ts'
import { fetchTrades } from './rest.ts'
import { foldRow, openRow, seedPoints, type Row } from './row.ts'

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
export function notice(event: Published<Status> | Published<Gap>): void {
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
export function filled(event: Published<GapFilled>): void {
  received++
  if (isNews(event)) say(filledNotice(event))
}

/** Of a recording of books alone the best levels are known by their liquidity; for what is live nobody is asked for books of each row. */
const topicsOf = (id: string): string[] => [
  `quote:${id}`,
  `trade:${id}`,
  `ticker:${id}`,
  ...(isReplay() ? [`liquidity:${id}`] : [])
]

onTurn(() => {
  rows.clear()
  subscriptions.clear()
  noticedSince.clear()
  unseeded.length = 0
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

/** Messages so far. */
export const heardSoFar = (): number => received

/** A new server decides anew who leads: what the old one decided explains nothing any more. */
export const forgetDecisions = (): void => {
  for (const row of rows.values()) row.decisions = {}
}
