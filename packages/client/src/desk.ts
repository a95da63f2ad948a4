/** Who reads what: readers by the topic as they wrote it, and by the name under which its events arrive. */
import { ERRORS, type AskedContract, type Published, type Status, type TopicResult } from '@tickwire/protocol'
import { faultIn, strongest } from './contract.ts'
import { createReigns } from './reigns.ts'
import type { Failure } from './state.ts'
import type { Reader } from './subscription.ts'
import type { Voice } from './voice.ts'

type Seat = { reader: Reader; routes: Set<string>; awaiting: Set<string> }
type Asking = (type: 'want' | 'unwant' | 'change', topics: readonly string[], contract?: AskedContract) => void

export function createDesk(voice: Voice) {
  const askers = new Map<string, Set<Seat>>()
  const routes = new Map<string, Set<Seat>>()
  const last = new Map<string, Published>()
  const seats = new Map<Reader, Seat>()

  const hand = (seat: Seat, event: Published): void => {
    seat.awaiting.delete(event.topic)
    try {
      seat.reader.deliver(event)
    } catch (cause) {
      // The others are owed this event too.
      voice.failed(cause, `a reader of ${event.topic}`)
    }
  }
  /** A reader that joins a topic already flowing gets its last value, as the first one did. */
  const greet = (seat: Seat, topic: string): void => {
    const event = last.get(topic)
    if (event && seat.awaiting.has(topic) && seats.has(seat.reader)) hand(seat, event)
  }
  const seated = (seat: Seat, topic: string): void => {
    if (seat.routes.has(topic)) return
    seat.routes.add(topic)
    seat.awaiting.add(topic)
    routes.set(topic, (routes.get(topic) ?? new Set()).add(seat))
    queueMicrotask(() => greet(seat, topic))
  }

  const reigns = createReigns()
  const told = (event: Published<Status>): void => {
    voice.emit('status', event)
    const failover = reigns.heard(event)
    if (failover) voice.emit('failover', failover)
  }

  const contractOf = (topic: string): AskedContract | undefined =>
    strongest([...(askers.get(topic) ?? [])].map(({ reader }) => reader.contract))
  /** A contract that is wrong is nobody else's matter: it is never asked for, and never merged. */
  const refuse = (reader: Reader, message: string): void => {
    for (const asked of reader.topics) {
      const result = { asked, ok: false, code: 'BAD_MESSAGE', message } as const
      voice.emit('error', refusal(asked, result))
      reader.settled(result)
    }
  }

  return {
    join(reader: Reader, ask: Asking): void {
      const fault = faultIn(reader.contract)
      // Later, as answers come: the program has its handle by then.
      if (fault !== undefined) return queueMicrotask(() => refuse(reader, fault))
      const seat: Seat = { reader, routes: new Set(), awaiting: new Set() }
      seats.set(reader, seat)
      for (const topic of reader.topics) askers.set(topic, (askers.get(topic) ?? new Set()).add(seat))
      for (const topic of reader.topics) ask('want', [topic], contractOf(topic))
    },
    leave(reader: Reader, ask: Asking): void {
      const seat = seats.get(reader)
      if (!seat) return
      seats.delete(reader)
      for (const topic of seat.routes) if (vacated(routes, topic, seat)) last.delete(topic)
      const before = new Map(reader.topics.map((topic) => [topic, contractOf(topic)]))
      const unwanted = reader.topics.filter((topic) => vacated(askers, topic, seat))
      if (unwanted.length > 0) ask('unwant', unwanted)
      // Those who stay may ask for less than the one who leaves.
      for (const [topic, contract] of before)
        if (askers.has(topic) && JSON.stringify(contractOf(topic)) !== JSON.stringify(contract))
          ask('change', [topic], contractOf(topic))
    },
    deliver(event: Published): void {
      const readers = routes.get(event.topic)
      if (readers) {
        last.set(event.topic, event)
        for (const seat of readers) hand(seat, event)
      }
      if (event.type === 'status') told(event)
      else if (event.type === 'gap') voice.emit('gap', { source: 'provider', topic: event.topic, event })
      else if (event.type === 'gap_filled') voice.emit('gap_filled', event)
    },
    settled(asked: string, result: TopicResult, ending: boolean): void {
      if (!result.ok && !ending) voice.emit('error', refusal(asked, result))
      for (const seat of askers.get(asked) ?? []) {
        if (result.ok) seated(seat, result.topic)
        seat.reader.settled(result)
      }
    },
    end(error?: Error): void {
      for (const reader of seats.keys()) reader.ended(error)
    }
  }
}

const refusal = (topic: string, { code, message, nearest }: Extract<TopicResult, { ok: false }>): Failure => ({
  code,
  message: `${topic}: ${message}`,
  retry: ERRORS[code]?.retry ?? false,
  topic,
  ...(nearest ? { nearest } : {})
})

function vacated(of: Map<string, Set<Seat>>, topic: string, seat: Seat): boolean {
  const there = of.get(topic)
  there?.delete(seat)
  return there?.size === 0 && of.delete(topic)
}
