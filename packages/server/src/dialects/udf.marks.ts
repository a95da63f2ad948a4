/** Marks on a chart: on its bars what is known to be missing and when trading halted, on its time scale the news. */
import { INTERVAL_MS, RESOLUTIONS, topicName, type Interval, type Published } from '@tickwire/protocol'
import type { Desk, HttpAnswer, HttpRequest } from './dialect.ts'
import { first } from './past.ts'
import { failed, secondsIn, secondsOf } from './udf.history.ts'
import { infoOf } from './udf.symbols.ts'

type Mark = { id: string; time: number; color: string; label: string; text: string }
type Span = { instrument: string; interval: Interval; from: number; to: number }

/** Charts show no more than ten marks on a bar, and nobody reads hundreds. */
const PER_BAR = 10
const MOST = 200

/** A mark stands on a bar: its time is that of the bar it falls into. */
const placed = (time: number, interval: Interval): number =>
  secondsOf(Math.floor(time / INTERVAL_MS[interval]) * INTERVAL_MS[interval])

const HALTS = { red: new Set(['halted', 'paused', 'closed']) }
const span = (from: number, to: number): string => `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`

function markOf(event: Published, interval: Interval): Mark | undefined {
  const id = `${event.topic}#${event.seq}`
  if (event.type === 'gap') {
    const text = `Missing ${event.kind} data (${event.cause}), ${span(event.from, event.to)}`
    return { id, time: placed(event.from, interval), color: 'red', label: 'G', text }
  }
  if (event.type === 'gap_filled') {
    const text = `Filled in: ${event.items} ${event.kind} events, ${span(event.from, event.to)}`
    return { id, time: placed(event.from, interval), color: 'green', label: 'F', text }
  }
  if (event.type !== 'halt') return undefined
  const color = HALTS.red.has(event.state) ? 'red' : 'green'
  const text = `${event.state}${event.reason === undefined ? '' : `: ${event.reason}`}`
  return { id, time: placed(event.time, interval), color, label: 'H', text }
}

function spanOf({ query }: HttpRequest, desk: Desk): Span | HttpAnswer {
  const resolution = first(query['resolution'])
  const interval = Object.hasOwn(RESOLUTIONS, resolution) ? RESOLUTIONS[resolution] : undefined
  if (!interval) return failed(`resolution: one of ${Object.keys(RESOLUTIONS).join(', ')}`)
  const info = infoOf(desk, first(query['symbol']))
  if (!info) return failed('unknown_symbol', 404)
  const [from, to] = [secondsIn(first(query['from'])), secondsIn(first(query['to']))]
  if (from === undefined || to === undefined) return failed('from and to: Unix times in seconds')
  return { instrument: info.instrument, interval, from, to }
}

/** The newest of those within the span, at most so many on one bar. */
function within(marks: readonly (Mark | undefined)[], { from, to }: Span): Mark[] {
  const bars = new Map<number, number>()
  return marks
    .filter((mark): mark is Mark => mark !== undefined && mark.time >= from && mark.time <= to)
    .toReversed()
    .filter(({ time }) => {
      bars.set(time, (bars.get(time) ?? 0) + 1)
      return bars.get(time)! <= PER_BAR
    })
    .slice(0, MOST)
    .toReversed()
}

/** As columns, which is how the bars' marks are told; the time scale's are rows. */
export function marks(request: HttpRequest, desk: Desk): HttpAnswer {
  const asked = spanOf(request, desk)
  if ('status' in asked) return asked
  const told = (['gap', 'halt'] as const).flatMap((kind) => desk.recent(topicName(kind, asked.instrument), MOST))
  const rows = within(
    told.map((event) => markOf(event, asked.interval)).sort((a, b) => (a?.time ?? 0) - (b?.time ?? 0)),
    asked
  )
  const body = {
    id: rows.map(({ id }) => id),
    time: rows.map(({ time }) => time),
    color: rows.map(({ color }) => color),
    text: rows.map(({ text }) => text),
    label: rows.map(({ label }) => label),
    labelFontColor: rows.map(() => 'white'),
    minSize: rows.map(() => 14)
  }
  return { status: 200, body }
}

export function timescaleMarks(request: HttpRequest, desk: Desk): HttpAnswer {
  const asked = spanOf(request, desk)
  if ('status' in asked) return asked
  const stories = desk.recent(topicName('news', asked.instrument), MOST).map((event): Mark | undefined => {
    if (event.type !== 'news') return undefined
    const time = placed(event.time, asked.interval)
    return { id: event.id, time, color: 'blue', label: 'N', text: event.headline }
  })
  // A story told again is an update of the one before.
  const newest = [...new Map(stories.map((mark) => [mark?.id, mark])).values()]
  return { status: 200, body: within(newest, asked).map(({ text, ...mark }) => ({ ...mark, tooltip: [text] })) }
}
