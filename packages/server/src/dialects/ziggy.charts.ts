/** `/ws/charts` of the Ziggy endpoints: a hundred bars with indicators, then what changes, in any timeframes; docs/websocket-s0-s1.md. */
import { topicName, type Interval, type Published, type TopicResult } from '@tickwire/protocol'
import type { Command, Dialect } from './dialect.ts'
import { difference, put, whole, type Bars } from './ziggy.bars.ts'
import { counted, createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'
import { createStudy, type Study } from './ziggy.indicators.ts'
import { chartSchema, fail, reading, say, type Message } from './ziggy.messages.ts'
import { find, notHeld, refusalOf, refusals, type Named, type Refused } from './ziggy.naming.ts'
import { askPast, missingOf, openLast, openQuest, renew, takePast, type Quest } from './ziggy.past.ts'

/** One symbol in one timeframe. */
type Chart = Named & {
  timeframe: Interval
  quest: Quest
  bars: Bars
  study: Study
  /** Starts of the bars that changed since the last message; `all` asks for a whole snapshot. */
  changed: Set<number>
  all: boolean
  due: number
  updates: number
}
type Asked = { charts: Chart[]; refused: Refused[]; timeframes: Interval[] }

export type Memory = Talk & {
  charts: Map<string, Chart>
  /** Snapshots asked for of what is not subscribed: each is sent when its past came. */
  once: Chart[]
  /** Whole charts that may still be sent, as of `at`. */
  room: { left: number; at: number }
  /** Whole charts that found no room at the last tick. */
  waiting: number
}

const TIMEFRAME: Interval = '1m'
const MAX_CHARTS = 200
/** Each may ask a provider for its past. */
const MAX_WAITING = 50
/** A whole chart is 32 kB and 0.8 ms, whoever asks for it and however often: so many of one connection at once, and then a second. */
const WHOLE = { burst: 50, perSecond: 40 }
const keyOf = ({ symbol, timeframe }: { symbol: string; timeframe: Interval }): string => `${symbol} ${timeframe}`
const topicOf = ({ instrument, timeframe }: Chart): string => topicName('candle', instrument, undefined, timeframe)

const chartOf = ({ symbol, instrument }: Named, timeframe: Interval, now: number): Chart => {
  const fresh = {
    quest: openQuest(now),
    bars: [],
    study: createStudy(),
    changed: new Set<number>(),
    all: true,
    due: now,
    updates: 0
  }
  return { symbol, instrument, timeframe, ...fresh }
}

function asked(memory: Memory, symbols: readonly string[], timeframes: readonly Interval[], now: number): Asked {
  const { known, refused } = find(memory.desk, symbols, true)
  const wanted = timeframes.length === 0 ? [TIMEFRAME] : [...timeframes]
  return {
    charts: known.flatMap((each) => wanted.map((timeframe) => chartOf(each, timeframe, now))),
    refused,
    timeframes: wanted
  }
}

const nothingNamed = (now: number): Command[] => {
  const errors = [{ field: 'symbols', message: 'name at least one symbol' }]
  return [fail('INVALID_MESSAGE', 'symbols: name at least one symbol', { errors }, now)]
}
const tooMany = (held: number, now: number): Command[] => [
  fail('LIMIT_REACHED', `a connection holds at most ${MAX_CHARTS} charts; those ${held} stay`, { limit: MAX_CHARTS, held }, now)
]

function subscribe(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(chartSchema, message, now, ({ symbols, timeframes }) => {
    if (symbols.length === 0) return nothingNamed(now)
    const tag = asked(memory, symbols, timeframes, now)
    if (tag.charts.length === 0) return refusals(tag.refused, now)
    const more = tag.charts.filter((chart) => !memory.charts.has(keyOf(chart))).length
    if (memory.charts.size + more > MAX_CHARTS) return tooMany(memory.charts.size, now)
    return [{ type: 'subscribe', topics: [...new Set(tag.charts.map(topicOf))], tag }]
  })
}

function settled(results: readonly TopicResult[], tag: unknown, memory: Memory, now: number): readonly Command[] {
  if (tag === undefined) return []
  const { charts, refused, timeframes } = tag as Asked
  const outcome = new Map(results.map((result) => [result.asked, result]))
  const held: Chart[] = []
  for (const chart of charts) {
    const refusal = refusalOf(chart.symbol, [topicOf(chart)], outcome)
    if (refusal) refused.push({ ...refusal, message: `${chart.timeframe}: ${refusal.message}` })
    else held.push(memory.charts.get(keyOf(chart)) ?? chart)
  }
  for (const chart of held) {
    // Subscribed again: the bars are there, and are shown again.
    chart.all = true
    askPast(chart, memory.desk, now)
    memory.charts.set(keyOf(chart), chart)
  }
  if (held.length === 0) return refusals(refused, now)
  const symbols = [...new Set(held.map(({ symbol }) => symbol))]
  const ack = { symbols, timeframe: timeframes[0], timeframes, status: 'subscribed' }
  return [say('subscription_ack', ack, now), ...refusals(refused, now)]
}

function unsubscribe(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(chartSchema, message, now, ({ symbols, timeframes }) => {
    const held = [...memory.charts.values()]
    const gone = held.filter(
      ({ symbol, timeframe }) =>
        (symbols.length === 0 || symbols.includes(symbol)) && (timeframes.length === 0 || timeframes.includes(timeframe))
    )
    for (const chart of gone) memory.charts.delete(keyOf(chart))
    const needed = new Set([...memory.charts.values()].map(topicOf))
    const free = [...new Set(gone.map(topicOf))].filter((topic) => !needed.has(topic))
    const names = [...new Set(gone.map(({ symbol }) => symbol))]
    const ack = { symbol: names[0] ?? null, symbols: names, timeframes: [...new Set(gone.map(({ timeframe }) => timeframe))] }
    return [
      ...(free.length > 0 ? [{ type: 'unsubscribe' as const, topics: free }] : []),
      say('unsubscription_ack', { ...ack, status: 'unsubscribed' }, now),
      ...notHeld(
        symbols.filter((symbol) => !names.includes(symbol)),
        held.map(keyOf),
        now
      )
    ]
  })
}

function refill({ room }: Memory, now: number): void {
  room.left = Math.min(WHOLE.burst, room.left + ((now - room.at) / 1_000) * WHOLE.perSecond)
  room.at = now
}
/** Whether another whole chart may be sent now. */
function takeRoom({ room }: Memory): boolean {
  if (room.left < 1) return false
  room.left--
  return true
}

/** What was asked for is not all sent yet, so that more of it would only make a longer queue. */
function tooSoon({ waiting }: Memory, now: number): Command[] {
  const retry_after_ms = Math.ceil((waiting / WHOLE.perSecond) * 1_000)
  const text = `${waiting} charts that were asked for are still to be sent, ${WHOLE.perSecond} a second; ask again when they are there`
  return [fail('RATE_LIMITED', text, { waiting, retry_after_ms }, now)]
}

function showAgain(chart: Chart, now: number): void {
  chart.all = true
  renew(chart.quest, now)
}

/** Charts that are held are shown again; of others the past is asked for, once. */
function snapshot(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(chartSchema, message, now, ({ symbols, timeframes }) => {
    if (memory.waiting > 0) return tooSoon(memory, now)
    if (symbols.length === 0) {
      for (const chart of memory.charts.values()) showAgain(chart, now)
      return memory.charts.size === 0 ? nothingNamed(now) : []
    }
    const { charts, refused } = asked(memory, symbols, timeframes, now)
    const others = charts.filter((chart) => !memory.charts.has(keyOf(chart)))
    if (memory.once.length + others.length > MAX_WAITING) {
      const text = `at most ${MAX_WAITING} snapshots of what is not subscribed may be under way`
      return [fail('LIMIT_REACHED', text, { limit: MAX_WAITING, under_way: memory.once.length }, now)]
    }
    for (const chart of charts) {
      const mine = memory.charts.get(keyOf(chart))
      if (mine) showAgain(mine, now)
    }
    for (const chart of others) {
      chart.quest = openLast(now)
      askPast(chart, memory.desk, now)
      memory.once.push(chart)
    }
    return refusals(refused, now)
  })
}

function hear(event: Published, memory: Memory): undefined {
  if (event.type !== 'candle') return
  for (const chart of memory.charts.values())
    if (chart.instrument === event.instrument && chart.timeframe === event.interval && put(chart.bars, event))
      chart.changed.add(event.start)
}

const chartMessage = (chart: Chart, type: string, data: object, now: number): Command => {
  const { symbol, timeframe, updates } = chart
  return say(type, { symbol, timeframe, data, update_count: updates }, now)
}

function snapshotOf(chart: Chart, now: number): Command {
  const { symbol, timeframe, bars, study } = chart
  chart.all = false
  chart.changed.clear()
  const missing = missingOf(chart)
  if (bars.length > 0)
    return chartMessage(chart, 'chart_snapshot', { ...whole({ symbol, timeframe }, bars, study), missing }, now)
  const why = chart.quest.why === undefined ? '' : `: ${chart.quest.why}`
  const text = `no provider has ${timeframe} bars of ${symbol} yet; they are sent as they form${why}`
  return fail('NO_HISTORY', text, { symbol, timeframe, missing }, now)
}

function updateOf(chart: Chart, memory: Memory, interval: number, now: number): Command[] {
  const { byCode } = memory
  const { symbol, timeframe, bars, study, changed } = chart
  askPast(chart, memory.desk, now)
  if (!takePast(chart, now)) return []
  if (!chart.all && (changed.size === 0 || now < chart.due)) return []
  if ((chart.all || byCode) && !takeRoom(memory)) {
    if (chart.all) memory.waiting++
    return []
  }
  if (chart.all) return [snapshotOf(chart, now)]
  chart.due = now + interval
  chart.updates++
  const of = { symbol, timeframe }
  const data = byCode ? { ...whole(of, bars, study), missing: missingOf(chart) } : difference(of, bars, changed, study)
  changed.clear()
  return [chartMessage(chart, 'chart_update', data, now)]
}

function tick(memory: Memory, interval: number, now: number): readonly Command[] {
  refill(memory, now)
  memory.waiting = 0
  const ready = memory.once.filter((chart) => chart.quest.found !== undefined && takeRoom(memory) && takePast(chart, now))
  if (ready.length > 0) memory.once = memory.once.filter((chart) => !ready.includes(chart))
  const updates = [...memory.charts.values()].flatMap((chart) => updateOf(chart, memory, interval, now))
  return counted(memory, [...ready.map((chart) => snapshotOf(chart, now)), ...updates], now)
}

export type ChartsOptions = { interval?: number; heartbeat?: Heartbeat }

export function createCharts({ interval = 1_000, heartbeat }: ChartsOptions = {}): Dialect<Memory> {
  return createChannel<Memory>(
    {
      name: 'charts',
      path: '/ws/charts',
      interval,
      running: true,
      begin: (talk, _request, now) => ({
        memory: { ...talk, charts: new Map(), once: [], room: { left: WHOLE.burst, at: now }, waiting: 0 },
        commands: []
      }),
      actions: { subscribe, unsubscribe, get_snapshot: snapshot, force_update: snapshot },
      settled,
      hear,
      tick: (memory, now) => tick(memory, interval, now),
      describe: ({ charts }) => ({
        subscriptions: charts.size,
        symbols: [...new Set([...charts.values()].map(({ symbol }) => symbol))]
      })
    },
    heartbeat
  )
}

export const charts = createCharts()
