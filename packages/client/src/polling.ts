/** Topics by polling `/v1/last`: only what is new since the last answer, each sort of data at a pace of its own. */
import {
  COUNTED_KINDS,
  headOf,
  isTopicError,
  noticesOf,
  parseTopic,
  type Contract,
  type DataFrame,
  type Kind,
  type Position,
  type Published,
  type TopicResult
} from '@tickwire/protocol'
import { listed, MOST, type Carrier, type Ground, type Names, type Subscribe } from './carried.ts'
import { closeFor } from './http.ts'

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

/** Of these each counts, so that what came between two polls is lost. */
const everyCounts = (name: string): boolean => kindOf(name) === 'trade' || COUNTED_KINDS.has(kindOf(name))

type Row = {
  name: string
  sort: keyof Polling
  /** The sequence that was read last; none yet: whatever is there is told. */
  seen: number | undefined
  /** Nobody asked for it by name: what is missed of it is nobody's loss. */
  notice: boolean
}
const epochIn = (cursor: string): string => cursor.slice(0, cursor.indexOf('~'))

type Told = { last: Record<string, Published | null>; cursor: string }

export function createPolling(ground: Ground, paces: Polling): Carrier {
  const { http, after, fail, say, now, epoch } = ground
  const here = epochIn(headOf(epoch, []))
  const rows = new Map<string, Row>()
  const timers = new Map<keyof Polling, () => void>()
  /** By address: where we stand in it. */
  const cursors = new Map<string, string>()
  let isOver = false

  const contractOf = (name: string): Contract => ({ delivery: 'sampled', interval: paces[sortOf(kindOf(name))] })

  const itemsOf = (row: Row, event: Published): DataFrame => {
    const { seen = event.seq - 1, name, notice } = row
    if (event.seq <= seen) return []
    row.seen = event.seq
    const missed = event.seq - seen - 1
    if (missed === 0 || notice || !everyCounts(name)) return [event]
    return [{ op: 'lost', topic: name, count: missed, from: seen + 1, to: event.seq - 1, reason: 'slow' }, event]
  }
  const take = ({ last, cursor }: Told): void => {
    if (epochIn(cursor) !== here) return fail(1012, 'the server was restarted')
    const items = Object.entries(last).flatMap(([name, event]) => {
      const row = rows.get(name)
      return row && event ? itemsOf(row, event) : []
    })
    if (items.length > 0) say(items)
    else say({ op: 'pong', now: now() })
  }
  /** Answers whether it goes on. */
  const poll = async (names: readonly string[]): Promise<boolean> => {
    const topics = listed(names)
    const answer = await http.get(`/v1/last?topics=${topics}&since=${cursors.get(topics) ?? '-'}`)
    if (isOver) return false
    if (answer?.status !== 200) {
      fail(answer ? closeFor(answer.status) : 1006, '')
      return false
    }
    const told = answer.body as Told
    cursors.set(topics, told.cursor)
    take(told)
    return !isOver
  }
  const round = async (sort: keyof Polling): Promise<void> => {
    timers.delete(sort)
    const names = [...rows.values()].filter((row) => row.sort === sort).map(({ name }) => name)
    for (let at = 0; at < names.length; at += MOST) if (!(await poll(names.slice(at, at + MOST)))) return
    if (names.length > 0) soon(sort, paces[sort])
  }
  const soon = (sort: keyof Polling, ms: number): void => {
    timers.get(sort)?.()
    timers.set(
      sort,
      after(ms, () => void round(sort))
    )
  }

  const add = (name: string, position: Position | undefined, notice: boolean): void => {
    const row = rows.get(name) ?? { name, sort: sortOf(kindOf(name)), seen: undefined, notice }
    if (position?.epoch === epoch) row.seen = position.seq
    if (!notice) row.notice = false
    rows.set(name, row)
  }
  /** Where it is now, before the first poll tells it: it is whatever comes next. */
  const resultOf = (asked: string, name: string, position: Position | undefined): TopicResult => {
    const common = { asked, topic: name, ok: true as const, contract: contractOf(name), upstream: 'live' as const }
    if (!position) return { ...common, position: { epoch, seq: 0 } }
    const recovered = position.epoch === epoch
    return { ...common, position: recovered ? { epoch, seq: position.seq } : { epoch, seq: 0 }, recovered }
  }

  return {
    subscribe({ id, topics, resume = {} }: Subscribe, names: Names) {
      const sorts = new Set<keyof Polling>()
      const results = topics.map((asked): TopicResult => {
        const name = names.get(asked) ?? asked
        if (typeof name !== 'string') return name
        const topic = parseTopic(name)
        add(name, resume[name], false)
        for (const notice of isTopicError(topic) ? [] : noticesOf(topic)) add(notice, resume[notice], true)
        sorts.add(sortOf(kindOf(name))).add('alerts')
        return resultOf(asked, name, resume[name])
      })
      say(id === undefined ? { op: 'subscribed', results } : { op: 'subscribed', id, results })
      // A first poll at once, also of those that are polled already: a row that is there tells nothing twice.
      for (const sort of sorts) soon(sort, 0)
    },
    unsubscribe(topics) {
      for (const name of topics) rows.delete(name)
    },
    stop() {
      isOver = true
      for (const cancel of timers.values()) cancel()
    }
  }
}
