/** Topics by polling `/v1/last`: only what is new since the last answer, each sort of data at a pace of its own. */
import {
  COUNTED_KINDS,
  headOf,
  isTopicError,
  narrow,
  noticesOf,
  parseTopic,
  SAMPLED,
  type AskedContract,
  type Contract,
  type DataFrame,
  type Kind,
  type Position,
  type Published,
  type TopicResult
} from '@tickwire/protocol'
import { listed, MOST, type Carrier, type Ground, type Names, type Subscribe } from './carried.ts'
import { closeFor, refusalIn } from './http.ts'

/** Milliseconds from one answer to the next question. */
export type Polling = { market: number; news: number; alerts: number; signals: number; portfolio: number }
export const PACES: Polling = { market: 5_000, news: 30_000, alerts: 10_000, signals: 15_000, portfolio: 10_000 }

const SORTS: Partial<Record<Kind, keyof Polling>> = {
  news: 'news',
  status: 'alerts',
  gap: 'alerts',
  halt: 'alerts',
  band: 'alerts',
  correction: 'alerts',
  provider: 'alerts',
  arbitration: 'signals',
  liquidity: 'signals',
  change: 'signals',
  breadth: 'signals',
  position: 'portfolio',
  account: 'portfolio',
  order: 'portfolio'
}
/** What is no price of the market is known by its kind. */
export const sortOf = (kind: Kind): keyof Polling => SORTS[kind] ?? 'market'
const kindOf = (name: string): Kind => name.slice(0, name.indexOf(':')) as Kind

/** Of these each counts whatever was asked: nothing else may stand for one. */
const isCounted = (name: string): boolean => COUNTED_KINDS.has(kindOf(name))

/** What is in force: what was asked as far as the newest of each poll can keep it, and no more often than it is polled. */
function contractFor(name: string, { delivery, interval = 0, maxRate, fields, maxAge }: AskedContract, pace: number): Contract {
  const rate = maxRate === undefined ? 0 : Math.ceil(1_000 / maxRate)
  const asked = isCounted(name) ? 0 : Math.min(SAMPLED.most, Math.max(rate, delivery === 'sampled' ? interval : 0))
  const contract: Contract = { delivery: 'sampled', interval: Math.max(pace, asked) }
  if (fields !== undefined) contract.fields = fields
  if (maxAge !== undefined && !isCounted(name)) contract.maxAge = maxAge
  return contract
}

type Row = {
  name: string
  contract: Contract
  /** What lies between two polls is lost, and not replaced as was asked. */
  counts: boolean
  /** The sequence that was read last; none yet: whatever is there is told. */
  seen: number | undefined
  /** Nobody asked for it by name: what is missed of it is nobody's loss. */
  notice: boolean
}
const paceOf = ({ contract: { interval = 0 } }: Row): number => interval

function rowFor(name: string, asked: AskedContract, paces: Polling): Row {
  const replaced = asked.maxRate !== undefined || (asked.delivery ?? 'every') !== 'every'
  const counts = isCounted(name) || (kindOf(name) === 'trade' && !replaced)
  return { name, contract: contractFor(name, asked, paces[sortOf(kindOf(name))]), counts, seen: undefined, notice: false }
}
const epochIn = (cursor: string): string => cursor.slice(0, cursor.indexOf('~'))

type Told = { last: Record<string, Published | null>; cursor: string }
const OF_TOLD = ['last', 'cursor']

/** The newest of a topic, as its contract has it. `now` is the server's. */
function itemsOf(row: Row, event: Published, now: number): DataFrame {
  const { seen = event.seq - 1, name, notice, counts, contract } = row
  if (event.seq <= seen) return []
  row.seen = event.seq
  const missed = event.seq - seen - 1
  const lost: DataFrame =
    missed === 0 || notice || !counts
      ? []
      : [{ op: 'lost', topic: name, count: missed, from: seen + 1, to: event.seq - 1, reason: 'slow' }]
  if (now - event.received <= (contract.maxAge ?? Infinity)) return [...lost, narrow(event, contract.fields)]
  // As the server says it where each was promised.
  return counts ? [...lost, { op: 'lost', topic: name, count: 1, from: event.seq, to: event.seq, reason: 'age' }] : lost
}

/** A clock that agrees with the server's, as far as its date tells, is finer than that. */
const serverNow = (now: number, date = now): number => (now >= date && now - date < 2_000 ? now : date)

/** The notices of the topics that were asked for by name. */
const noticesIn = (rows: Iterable<Row>): Set<string> =>
  new Set([...rows].flatMap(({ name, notice }) => (notice ? [] : noticesWith(name))))
function noticesWith(name: string): string[] {
  const topic = parseTopic(name)
  return isTopicError(topic) ? [] : noticesOf(topic)
}

export function createPolling(ground: Ground, paces: Polling): Carrier {
  const { http, after, fail, say, now, epoch } = ground
  const here = epochIn(headOf(epoch, []))
  const rows = new Map<string, Row>()
  /** By their pace. */
  const timers = new Map<number, () => void>()
  /** By address: where we stand in it. */
  const cursors = new Map<string, string>()
  let isOver = false

  const take = ({ last, cursor }: Told, date: number | undefined): void => {
    if (epochIn(cursor) !== here) return fail(1012, 'the server was restarted')
    const items = Object.entries(last).flatMap(([name, event]) => {
      const row = rows.get(name)
      return row && event ? itemsOf(row, event, serverNow(now(), date)) : []
    })
    if (items.length > 0) say(items)
    else say({ op: 'pong', now: now() })
  }
  /** Answers whether it goes on. */
  const poll = async (names: readonly string[]): Promise<boolean> => {
    const topics = listed(names)
    const answer = await http.get(`/v1/last?topics=${topics}&since=${cursors.get(topics) ?? '-'}`, OF_TOLD)
    if (isOver) return false
    if (answer?.status !== 200) {
      fail(answer ? closeFor(answer.status) : 1006, answer ? (refusalIn(answer.body)?.message ?? '') : http.stranger())
      return false
    }
    const told = answer.body as Told
    cursors.set(topics, told.cursor)
    take(told, answer.date)
    return !isOver
  }
  const round = async (pace: number): Promise<void> => {
    timers.delete(pace)
    const names = [...rows.values()].filter((row) => paceOf(row) === pace).map(({ name }) => name)
    for (let at = 0; at < names.length; at += MOST) if (!(await poll(names.slice(at, at + MOST)))) return
    if (names.length > 0) soon(pace, pace)
  }
  const soon = (pace: number, ms: number): void => {
    timers.get(pace)?.()
    timers.set(
      pace,
      after(ms, () => void round(pace))
    )
  }

  const add = (name: string, position: Position | undefined, notice: boolean, asked: AskedContract = {}): Row => {
    const known = rows.get(name)
    // A notice that is asked for by name is that from here on, and none that was asked for becomes one.
    const row = known && notice ? known : { ...rowFor(name, asked, paces), seen: known?.seen, notice }
    if (position?.epoch === epoch) row.seen = position.seq
    rows.set(name, row)
    return row
  }
  /** Where it is now, before the first poll tells it: it is whatever comes next. */
  const resultOf = (asked: string, { name, contract }: Row, position: Position | undefined): TopicResult => {
    const common = { asked, topic: name, ok: true as const, contract, upstream: 'live' as const }
    if (!position) return { ...common, position: { epoch, seq: 0 } }
    const recovered = position.epoch === epoch
    return { ...common, position: recovered ? { epoch, seq: position.seq } : { epoch, seq: 0 }, recovered }
  }

  return {
    subscribe({ id, topics, resume = {}, contract }: Subscribe, names: Names) {
      const due = new Set<number>()
      const results = topics.map((asked): TopicResult => {
        const name = names.get(asked) ?? asked
        if (typeof name !== 'string') return name
        const row = add(name, resume[name], false, contract)
        for (const each of [row, ...noticesWith(name).map((notice) => add(notice, resume[notice], true))]) due.add(paceOf(each))
        return resultOf(asked, row, resume[name])
      })
      say(id === undefined ? { op: 'subscribed', results } : { op: 'subscribed', id, results })
      // A first poll at once, also of those that are polled already: a row that is there tells nothing twice.
      for (const pace of due) soon(pace, 0)
    },
    unsubscribe(topics) {
      for (const name of topics) rows.delete(name)
      const needed = noticesIn(rows.values())
      for (const { name, notice } of rows.values()) if (notice && !needed.has(name)) rows.delete(name)
    },
    stop() {
      isOver = true
      for (const cancel of timers.values()) cancel()
    }
  }
}
