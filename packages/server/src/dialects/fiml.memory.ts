/** What one FIML connection holds: its subscriptions, what it heard, and who of them hears what. Pure. */
import { isTopicError, noticesOf, parseTopic, type Published, type Status } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import type { Format } from './fiml.messages.ts'
import { hear, isDark, sourceTopics, symbolsOf, type Line, type Subscription } from './fiml.subscription.ts'
import type { Row } from './fiml.updates.ts'

export type Memory = {
  desk: Desk
  session: string
  format: Format
  subscriptions: Map<string, Subscription>
  /** Subscriptions ever made here: part of their ids. */
  made: number
  /** Last event per topic held. */
  latest: Map<string, Published>
  routes: Map<string, { subscription: Subscription; line: Line }[]>
  /** Kinds without a leader, and why, per instrument. */
  down: Map<string, Map<string, string>>
  /** A status came since outages were last looked at. */
  statusCame: boolean
  nextBeat: number
}

/** Where the outages of a line's sources are told. */
export const statusTopics = (sources: readonly string[]): string[] =>
  sources.flatMap((source) => {
    const topic = parseTopic(source)
    return isTopicError(topic) ? [] : noticesOf(topic).slice(0, 1)
  })

const topicsOf = ({ stream, request }: Subscription, { instrument }: Line): string[] => {
  const sources = sourceTopics(stream, instrument, request.params.interval)
  return [...sources, ...statusTopics(sources)]
}

function reroute(memory: Memory): void {
  memory.routes.clear()
  for (const subscription of memory.subscriptions.values())
    for (const line of subscription.lines)
      for (const topic of topicsOf(subscription, line)) {
        const route = memory.routes.get(topic)
        if (route) route.push({ subscription, line })
        else memory.routes.set(topic, [{ subscription, line }])
      }
}

/** The kinds of an instrument that have no leader now; the newest status of each kind decides. */
function note(memory: Memory, { instrument, kind, leader, cause, reason }: Status): void {
  const kinds = memory.down.get(instrument) ?? new Map<string, string>()
  if (leader === undefined && cause !== 'unsubscribed') kinds.set(kind, reason)
  else kinds.delete(kind)
  if (kinds.size > 0) memory.down.set(instrument, kinds)
  else memory.down.delete(instrument)
  memory.statusCame = true
}

export function take(memory: Memory, event: Published): void {
  if (event.type === 'status') return note(memory, event)
  // A topic held by one subscription and asked for by another may be told twice.
  if (event.seq <= (memory.latest.get(event.topic)?.seq ?? 0)) return
  memory.latest.set(event.topic, event)
  for (const { subscription, line } of memory.routes.get(event.topic) ?? []) hear(subscription, line, event)
}

/** A new subscription begins with what others of this connection heard already, and with outages that are under way. */
export function enter(memory: Memory, subscription: Subscription): void {
  memory.subscriptions.set(subscription.id, subscription)
  reroute(memory)
  for (const line of subscription.lines) {
    for (const topic of topicsOf(subscription, line)) {
      const event = memory.latest.get(topic) ?? memory.desk.last(topic)
      if (event?.type === 'status') note(memory, event)
      else if (event && memory.latest.has(topic)) hear(subscription, line, event)
    }
  }
  memory.statusCame = true
}

/** Lines that lost their last source since last asked, with the reason. */
export function newlyDark(memory: Memory): { subscription: Subscription; line: Line; reason: string }[] {
  if (!memory.statusCame) return []
  memory.statusCame = false
  const found = []
  for (const subscription of memory.subscriptions.values())
    for (const line of subscription.lines) {
      const kinds = memory.down.get(line.instrument)
      const dark = isDark(subscription.stream, line, kinds)
      if (dark && !line.dark) found.push({ subscription, line, reason: [...kinds!.values()].at(-1)! })
      line.dark = dark
    }
  return found
}

/** What waits of others than these symbols; a story stays while any that it is about does. */
const isKept = ({ symbol, symbols }: Row, gone: ReadonlySet<unknown>): boolean =>
  Array.isArray(symbols) ? symbols.some((each) => !gone.has(each)) : !gone.has(symbol)

/** Takes lines out; returns the topics that nobody here needs any more. */
export function leave(memory: Memory, gone: ReadonlySet<Line>): string[] {
  const before = [...memory.routes.keys()]
  for (const subscription of memory.subscriptions.values()) {
    const symbols = new Set(symbolsOf(subscription.lines.filter((line) => gone.has(line))))
    if (symbols.size > 0) subscription.queue = subscription.queue.filter((update) => isKept(update, symbols))
    subscription.lines = subscription.lines.filter((line) => !gone.has(line))
    if (subscription.lines.length === 0) memory.subscriptions.delete(subscription.id)
  }
  reroute(memory)
  const unneeded = before.filter((topic) => !memory.routes.has(topic))
  for (const topic of unneeded) memory.latest.delete(topic)
  return unneeded
}
