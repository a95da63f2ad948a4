/** A datafeed for TradingView's charts: the past over the server's UDF, live bars over the client's connection. */
import { RESOLUTIONS, topicName, type GapFilled, type Gap, type Interval, type Published } from '@tickwire/protocol'
import type { Backoff } from './backoff.ts'
import { barOf, copyOf, judge, nothingTold, tell, type Bar, type Told } from './bars.ts'
import type { Client } from './client.ts'
import type { Subscription } from './subscription.ts'
import {
  configure,
  createUdf,
  historyIn,
  reasonOf,
  rowsIn,
  type ChartHistory,
  type Columns,
  type History,
  type Params
} from './udf.ts'

export type { Bar } from './bars.ts'

/** As much of TradingView's types as is used here: its library's own fit them. */
export type ChartSymbol = { name: string; ticker?: string }
export type ChartPeriod = { from: number; to: number; countBack?: number; firstDataRequest?: boolean }
type Failed = (reason: string) => void

export type DatafeedOptions = {
  /** Where the server is, as the client was told it. */
  url: string
  /** As the client's: sent with each request. */
  token?: string | (() => string | Promise<string>)
  /** Called after a chart was told that its cache is void: here a page calls `chart.resetData()`, which loads the bars again. */
  onReset?: (reset: { symbol: string; resolution: string; reason: string }) => void
  /** Bounds of the full-jitter backoff, in milliseconds, while the configuration cannot be had. */
  backoff?: Backoff
  fetch?: typeof fetch
}

type Chart = {
  topic: string
  symbol: string
  resolution: string
  told: Told
  onReset: () => void
  resetting: boolean
  ends: (() => void)[]
}

export type Datafeed = ReturnType<typeof createDatafeed>

/** Reasons for a reset that are remembered, so that none is heeded twice. */
const REMEMBERED = 1_000

export function createDatafeed(client: Client, options: DatafeedOptions) {
  const { onReset } = options
  const ask = createUdf(options)
  /** What was handed out as history, by topic, for the charts that subscribe after it. */
  const past = new Map<string, Told>()
  /** What charts were reset for: once each, or one that comes with every subscription would reset them for ever. */
  const done = new Set<string>()
  const charts = new Map<string, Chart>()

  /** All that comes in one turn (a gap with the candles that it revises) is one reset. */
  function reset(chart: Chart, reason: string): void {
    if (chart.resetting) return
    chart.resetting = true
    queueMicrotask(() => {
      chart.resetting = false
      if (![...charts.values()].includes(chart)) return
      const { symbol, resolution } = chart
      try {
        chart.onReset()
        onReset?.({ symbol, resolution, reason })
      } catch (error) {
        console.error(`tickwire: a reset of ${symbol} threw: ${String(error)}`)
      }
    })
  }

  const once = (chart: Chart, what: string, reason: string): void => {
    const key = `${chart.topic} ${what}`
    if (done.has(key)) return
    // All charts of the topic hear of it in this turn; it is done with when the turn is over.
    queueMicrotask(() => {
      done.add(key)
      for (const oldest of done) if (done.size > REMEMBERED) done.delete(oldest)
    })
    reset(chart, reason)
  }

  function hear(chart: Chart, event: Published, onTick: (bar: Bar) => void): void {
    if (event.type !== 'candle') return
    const bar = barOf(event, event.interval)
    const verdict = judge(chart.told, bar, event.revision)
    if (verdict === 'reset') once(chart, `${bar.time}#${event.revision}`, 'a bar was revised')
    if (verdict !== 'tick') return
    tell(chart.told, bar, true)
    onTick(bar)
  }

  function listen(chart: Chart): void {
    const { topic, symbol } = chart
    chart.ends.push(
      client.on('gap', (hole) => {
        if (hole.source !== 'provider') {
          if (hole.topic === topic) reset(chart, 'the stream has a hole')
        } else if (concerns(hole.event, symbol)) once(chart, `gap ${hole.event.id ?? hole.event.seq}`, 'data is missing')
      }),
      client.on('gap_filled', (event) => {
        if (concerns(event, symbol)) once(chart, `filled ${event.gap} ${event.seq}`, 'missing data was filled in')
      }),
      client.on('lost', (report) => {
        if (report.topic === topic) reset(chart, 'bars were dropped: this program or its connection is too slow')
      }),
      client.on('reset', (report) => {
        if (report.topic !== topic) return
        done.clear()
        reset(chart, report.reason)
      })
    )
  }

  function unsubscribeBars(listenerGuid: string): void {
    for (const end of charts.get(listenerGuid)?.ends ?? []) end()
    charts.delete(listenerGuid)
  }

  return {
    onReady: (onConfiguration: (configuration: object) => void): void =>
      configure(ask, { isOver: () => client.state().phase === 'closed', backoff: options.backoff }, onConfiguration),

    searchSymbols: (userInput: string, exchange: string, symbolType: string, onResult: (rows: object[]) => void): void => {
      ask('search', { query: userInput, exchange, type: symbolType, limit: 30 }).then(
        (rows) => onResult(Array.isArray(rows) ? (rows as object[]) : []),
        () => onResult([])
      )
    },

    resolveSymbol: (symbolName: string, onResolve: (symbol: ChartSymbol) => void, onError: Failed): void => {
      ask('symbols', { symbol: symbolName }).then((info) => onResolve(info as ChartSymbol), failing(onError))
    },

    getBars: (
      symbolInfo: ChartSymbol,
      resolution: string,
      { from, to, countBack, firstDataRequest }: ChartPeriod,
      onResult: (bars: Bar[], meta: ChartHistory) => void,
      onError: Failed
    ): void => {
      const params: Params = { symbol: symbolOf(symbolInfo), resolution, from, to }
      if (countBack !== undefined && countBack > 0) params['countback'] = Math.ceil(countBack)
      const history = ask('history', params).then((answer) => historyIn(answer as History))
      history.then(({ bars, meta }) => {
        const topic = topicOf(symbolInfo, resolution)
        if (topic !== undefined) {
          const told = firstDataRequest ? nothingTold() : (past.get(topic) ?? nothingTold())
          for (const bar of bars.slice(-500)) tell(told, bar, false)
          past.set(topic, told)
        }
        onResult(bars, meta)
      }, failing(onError))
    },

    subscribeBars(
      symbolInfo: ChartSymbol,
      resolution: string,
      onTick: (bar: Bar) => void,
      listenerGuid: string,
      onResetCacheNeededCallback: () => void
    ): Subscription | undefined {
      unsubscribeBars(listenerGuid)
      const topic = topicOf(symbolInfo, resolution)
      if (topic === undefined) return undefined
      const told = copyOf(past.get(topic) ?? nothingTold())
      const symbol = symbolOf(symbolInfo)
      const chart: Chart = { topic, symbol, resolution, told, onReset: onResetCacheNeededCallback, resetting: false, ends: [] }
      charts.set(listenerGuid, chart)
      listen(chart)
      const subscription = client.subscribe(topic, (event) => hear(chart, event, onTick))
      chart.ends.push(subscription.close)
      return subscription
    },

    unsubscribeBars,

    getServerTime: (onTime: (seconds: number) => void): void => {
      ask('time', {}).then(
        (seconds) => onTime(Number(seconds)),
        () => {}
      )
    },
    getMarks: (
      symbolInfo: ChartSymbol,
      from: number,
      to: number,
      onDataCallback: (marks: object[]) => void,
      resolution: string
    ): void => {
      ask('marks', { symbol: symbolOf(symbolInfo), from, to, resolution }).then(
        (columns) => onDataCallback(rowsIn(columns as Columns)),
        () => onDataCallback([])
      )
    },
    getTimescaleMarks: (
      symbolInfo: ChartSymbol,
      from: number,
      to: number,
      onDataCallback: (marks: object[]) => void,
      resolution: string
    ): void => {
      ask('timescale_marks', { symbol: symbolOf(symbolInfo), from, to, resolution }).then(
        (rows) => onDataCallback(Array.isArray(rows) ? (rows as object[]) : []),
        () => onDataCallback([])
      )
    }
  }
}

/** Candles are made from trades; what another provider than the leader missed is none of theirs. */
const concerns = (event: Published<Gap> | Published<GapFilled>, symbol: string): boolean =>
  event.instrument === symbol && event.own !== true && (event.kind === 'trade' || event.kind === 'candle')

const symbolOf = ({ ticker, name }: ChartSymbol): string => ticker ?? name
const intervalOf = (resolution: string): Interval | undefined =>
  Object.hasOwn(RESOLUTIONS, resolution) ? RESOLUTIONS[resolution] : undefined
function topicOf(symbolInfo: ChartSymbol, resolution: string): string | undefined {
  const interval = intervalOf(resolution)
  return interval && topicName('candle', symbolOf(symbolInfo), undefined, interval)
}

const failing =
  (onError: Failed) =>
  (error: unknown): void =>
    onError(reasonOf(error))
