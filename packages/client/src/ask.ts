/** What the program asks for, and what the server said to each: the subscriptions of one connection, batched and resumed. */
import {
  ERRORS,
  isTopicError,
  noticesOf,
  parseTopic,
  type AskedContract,
  type Contract,
  type ErrorCode,
  type Position,
  type TopicResult
} from '@tickwire/protocol'
import { backoffDelay } from './backoff.ts'
import { createLane, goOnFrom, join, positionOf, resume } from './position.ts'
import type { Ask, Connection, Effect, Request } from './state.ts'

export function want(c: Connection, topics: readonly string[], contract?: AskedContract): Effect[] {
  return topics.flatMap((asked): Effect[] => {
    const ask = c.asks.get(asked)
    if (!ask) c.asks.set(asked, { asked, phase: 'new', wanted: true, attempt: 0, contract })
    else {
      ask.wanted = true
      // What was wrong with a message may have been the contract.
      const isFinal = ask.phase === 'refused' && ask.result?.ok === false && ask.result.code !== 'BAD_MESSAGE'
      if (keyOf(ask.contract) !== keyOf(contract) && !isFinal) ask.phase = 'new'
      ask.contract = contract
    }
    return ask?.result && ask.phase !== 'new' && ask.phase !== 'sent' ? [{ type: 'settled', asked, result: ask.result }] : []
  })
}

/** Takes effect at the next flush, so that leaving and coming back in one turn costs nothing. */
export function unwant(c: Connection, topics: readonly string[]): Effect[] {
  for (const asked of topics) {
    const ask = c.asks.get(asked)
    if (ask) ask.wanted = false
  }
  return []
}

export function flushAsks(c: Connection, now: number): Effect[] {
  const left = [...c.asks.values()].filter((ask) => !ask.wanted)
  for (const ask of left) c.asks.delete(ask.asked)
  // One still unanswered is ended when its answer comes: only then is its canonical name known.
  const idle = left.flatMap((ask) => (ask.phase === 'live' && ask.topic !== undefined ? abandon(c, ask.topic) : []))
  const due = [...c.asks.values()].filter((ask) => ask.phase === 'new' && (ask.retryAt ?? 0) <= now)
  return [...leave(idle), ...batches(c, due).map((batch): Effect => ({ type: 'send', message: subscribe(c, batch) }))]
}

const leave = (topics: readonly string[]): Effect[] =>
  topics.length === 0 ? [] : [{ type: 'send', message: { op: 'unsubscribe', topics: [...new Set(topics)] } }]

/** The topic, when nobody wants it any more under any spelling. */
function abandon(c: Connection, topic: string): string[] {
  for (const ask of c.asks.values()) if (ask.topic === topic || ask.asked === topic) return []
  c.lanes.delete(topic)
  return [topic]
}

const keyOf = (contract: AskedContract | undefined): string => JSON.stringify(contract ?? {})

/** As many topics of one contract per message as surely fit into the server's limit. */
function batches(c: Connection, asks: readonly Ask[]): Ask[][] {
  const alike = new Map<string, Ask[]>()
  for (const ask of asks) {
    const key = keyOf(ask.contract)
    const others = alike.get(key)
    if (others) others.push(ask)
    else alike.set(key, [ask])
  }
  return [...alike.values()].flatMap((some) => fitting(c, some))
}

function fitting(c: Connection, asks: readonly Ask[]): Ask[][] {
  const limit = (c.state.hello?.limits.message ?? 65_536) - 1_000
  const all: Ask[][] = []
  let room = 0
  for (const ask of asks) {
    // Its name in topics and in resume, both its notices, three positions; a character has up to 4 bytes.
    const size = 4 * (4 * Math.max(ask.asked.length, ask.topic?.length ?? 0)) + 300
    if (size > room) {
      all.push([])
      room = limit
    }
    all.at(-1)!.push(ask)
    room -= size
  }
  return all
}

function subscribe(c: Connection, asks: readonly Ask[]) {
  const request: Request = { asked: asks.map((ask) => ask.asked), sent: new Map(), open: new Set(), resume: {} }
  for (const ask of asks) {
    const name = ask.topic ?? ask.asked
    ask.phase = 'sent'
    delete ask.retryAt
    request.open.add(name)
    request.sent.set(name, [...(request.sent.get(name) ?? []), ask.asked])
    const lane = c.lanes.get(name)
    if (lane && !lane.live) request.resume[name] = positionOf(lane)
    Object.assign(request.resume, noticePositions(c, name))
  }
  const id = c.nextId++
  c.requests.set(id, request)
  const positions = Object.keys(request.resume).length === 0 ? {} : { resume: request.resume }
  const contract = asks[0]?.contract
  const terms = contract === undefined ? {} : { contract }
  return { op: 'subscribe' as const, id, topics: [...request.sent.keys()], ...positions, ...terms }
}

/** What was read of the notices that come with a topic, so that none is missed either. */
function noticePositions(c: Connection, name: string): Record<string, Position> {
  const topic = parseTopic(name)
  if (isTopicError(topic)) return {}
  const epoch = c.state.hello!.epoch
  return Object.fromEntries(
    noticesOf(topic).flatMap((notice) => (c.notices.has(notice) ? [[notice, { epoch, seq: c.notices.get(notice)! }]] : []))
  )
}

export function settle(c: Connection, id: unknown, results: readonly TopicResult[]): Effect[] {
  const request = c.requests.get(id as number)
  if (!request) return id === undefined ? results.flatMap((result) => anew(c, result)) : []
  // Over several streams of events the topics of one request are answered apart.
  for (const { asked } of results) request.open.delete(asked)
  if (request.open.size === 0) c.requests.delete(id as number)
  const orphans: string[] = []
  const effects = results.flatMap((result): Effect[] => {
    const asks = (request.sent.get(result.asked) ?? []).flatMap((asked) => c.asks.get(asked) ?? [])
    for (const ask of asks) answered(c, ask, result)
    const settled = asks.map((ask): Effect => ({ type: 'settled', asked: ask.asked, result: ask.result! }))
    if (!result.ok) return settled
    if (asks.length === 0) {
      orphans.push(...abandon(c, result.topic))
      return []
    }
    return [...settled, ...placed(c, result)]
  })
  return [...effects, ...leave(orphans)]
}

/** Told unasked: a replay was sent elsewhere, and what is held goes on from there in another epoch. */
function anew(c: Connection, result: TopicResult): Effect[] {
  if (!result.ok || result.recovered !== false) return []
  const { topic, position } = result
  c.notices.delete(topic)
  const { hello } = c.state
  if (hello) c.state = { ...c.state, hello: { ...hello, epoch: position.epoch } }
  const lane = c.lanes.get(topic)
  if (!lane || lane.epoch === position.epoch) return []
  lane.live = false
  return placed(c, result)
}

function answered(c: Connection, ask: Ask, result: TopicResult): void {
  ask.result = { ...result, asked: ask.asked }
  if (result.ok) {
    ask.phase = 'live'
    ask.topic = result.topic
    ask.attempt = 0
  } else if (ERRORS[result.code]?.retry) {
    ask.phase = 'new'
    ask.retryAt = c.heard + backoffDelay(++ask.attempt, c.settings.backoff, c.random)
  } else ask.phase = 'refused'
}

type Settled = Extract<TopicResult, { ok: true }>

/** Sets where the topic stands after a successful subscribe, and says so where the program was in it before. */
function placed(c: Connection, { topic, position, recovered, contract }: Settled): Effect[] {
  const known = c.lanes.get(topic)
  const lane = known ?? createLane(topic)
  c.lanes.set(topic, lane)
  const before = lane.contract
  lane.contract = contract
  if (known?.live) {
    // A second spelling of a topic already joined, or another contract.
    if (before && before.delivery !== 'every' && contract?.delivery === 'every') goOnFrom(lane, position)
    return []
  }
  if (!known) {
    join(lane, position)
    return []
  }
  const agreed = agreement(c, topic, before, contract)
  if (recovered) {
    resume(lane, position)
    return [...agreed, { type: 'resumed', report: { topic, position } }]
  }
  const previous = { epoch: lane.epoch, seq: lane.seen }
  join(lane, position)
  const reason =
    previous.epoch === position.epoch
      ? `Away too long: of ${topic}, what came after sequence ${previous.seq} is no longer kept.`
      : `${another(c)}: ${topic} begins anew.`
  return [...agreed, { type: 'reset', report: { topic, previous, position, reason } }]
}

/** Why an epoch is another one. */
const another = (c: Connection): string =>
  c.state.hello?.mode === 'replay' ? 'The replay is at another place' : 'The server was restarted'

/** Over another road it may come otherwise: polling has no more than the newest at times. */
function agreement(c: Connection, topic: string, before: Contract | undefined, contract: Contract | undefined): Effect[] {
  if (!contract || (before?.delivery ?? 'every') === contract.delivery) return []
  return [{ type: 'contract', report: { topics: [topic], contract, reason: c.via === 'polling' ? 'polling' : 'caught up' } }]
}

/** The answer will not come: says so to whoever waits for it. */
export function failAsks(c: Connection, topics: readonly string[], message: string, code: ErrorCode = 'UNAVAILABLE'): Effect[] {
  return topics.flatMap((asked): Effect[] => {
    const ask = c.asks.get(asked)
    if (ask?.phase === 'live') return []
    const result: TopicResult = { asked, ok: false, code, message }
    if (ask) Object.assign(ask, { phase: 'refused', result })
    return [{ type: 'settled', asked, result }]
  })
}

/** The connection is gone: every topic is to be asked again, with the position it had. */
export function forgetAnswers(c: Connection): void {
  c.requests.clear()
  for (const lane of c.lanes.values()) lane.live = false
  for (const ask of c.asks.values()) {
    ask.phase = 'new'
    delete ask.retryAt
  }
}
