/** The drawing behind the chart: lightweight-charts with candles above volume, and nothing of React in it. */
import {
  CandlestickSeries,
  ColorType,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  type IChartApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp
} from 'lightweight-charts'
import type { ChartMark } from './marks.ts'

/** `time` is the start of the candle in epoch seconds. */
export type Bar = { time: number; open: number; high: number; low: number; close: number; volume: number }

export type Plot = {
  /** Replaces everything; oldest first. */
  reset: (bars: readonly Bar[]) => void
  /** Changes or adds one bar. */
  put: (bar: Bar) => void
  decimals: (digits: number) => void
  /** Replaces all marks. */
  mark: (marks: readonly ChartMark[]) => void
  remove: () => void
}

const UP = '#3ecf9a'
const DOWN = '#fb7185'
const SHOWN = 110

// The library's own mark is a style element, which a strict content policy forbids: chart.tsx shows the attribution instead.
const options = {
  autoSize: true,
  layout: {
    background: { type: ColorType.Solid, color: '#0e1219' },
    textColor: '#8d99ab',
    fontSize: 11,
    fontFamily: "Inter, -apple-system, 'Segoe UI', Roboto, Arial, 'Liberation Sans', sans-serif",
    attributionLogo: false
  },
  grid: { vertLines: { color: '#151b25' }, horzLines: { color: '#151b25' } },
  rightPriceScale: { borderColor: '#1c2430', scaleMargins: { top: 0.1, bottom: 0.24 } },
  timeScale: { borderColor: '#1c2430', timeVisible: true, secondsVisible: false, rightOffset: 4 },
  crosshair: { mode: CrosshairMode.Normal, vertLine: { color: '#4a5a70' }, horzLine: { color: '#4a5a70' } }
}

const two = (n: number): string => String(n).padStart(2, '0')
/** The library thinks in UTC; people read their own clock. */
const local = (time: unknown): string => {
  const at = new Date(Number(time) * 1_000)
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${two(at.getHours())}:${two(at.getMinutes())}`
}
const tick = (time: unknown, kind: number): string => {
  const at = new Date(Number(time) * 1_000)
  if (kind <= 1) return at.toLocaleDateString('en-GB', kind === 0 ? { year: 'numeric' } : { month: 'short' })
  return kind === 2
    ? at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
    : `${two(at.getHours())}:${two(at.getMinutes())}`
}

const candleOf = ({ time, open, high, low, close }: Bar) => ({ time: time as UTCTimestamp, open, high, low, close })
const volumeOf = (bar: Bar) => ({
  time: bar.time as UTCTimestamp,
  value: bar.volume,
  color: bar.close < bar.open ? `${DOWN}55` : `${UP}55`
})

const AMBER = '#eab55a'
const MUTED = '#8d99ab'
const LOOKS = {
  open: { position: 'aboveBar', shape: 'square', color: AMBER },
  filled: { position: 'aboveBar', shape: 'square', color: '#4f8f78' },
  revised: { position: 'belowBar', shape: 'arrowUp', color: MUTED },
  partial: { position: 'belowBar', shape: 'circle', color: AMBER }
} as const

/** One sign of each sort a bar: the words beside the chart tell how many. An open gap hides a filled one. */
function signsOf(marks: readonly ChartMark[]): SeriesMarker<Time>[] {
  const isHidden = (mark: ChartMark): boolean =>
    mark.what === 'filled' && marks.some(({ time, what }) => time === mark.time && what === 'open')
  const signs = new Map<string, SeriesMarker<Time>>()
  for (const mark of marks)
    if (!isHidden(mark))
      signs.set(`${mark.time} ${mark.what}`, { time: mark.time as UTCTimestamp, size: 0.5, ...LOOKS[mark.what] })
  return [...signs.values()]
}

function seriesOf(chart: IChartApi) {
  const candles = chart.addSeries(CandlestickSeries, {
    upColor: UP,
    downColor: DOWN,
    wickUpColor: UP,
    wickDownColor: DOWN,
    borderVisible: false
  })
  const volumes = chart.addSeries(HistogramSeries, {
    priceScaleId: 'volume',
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false
  })
  chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } })
  return { candles, volumes }
}

/** `onBar` is told the bar under the pointer or, without one, the last. */
export function createPlot(box: HTMLElement, onBar: (bar: Bar | undefined) => void): Plot {
  const chart = createChart(box, {
    ...options,
    timeScale: { ...options.timeScale, tickMarkFormatter: tick },
    localization: { timeFormatter: local }
  })
  const { candles, volumes } = seriesOf(chart)
  const signs = createSeriesMarkers(candles, [])
  const bars = new Map<number, Bar>()
  let last = 0
  let pointed: number | undefined
  const tell = (): void => onBar(bars.get(pointed ?? last))
  chart.subscribeCrosshairMove(({ time }) => {
    pointed = time === undefined ? undefined : Number(time)
    tell()
  })
  return {
    reset(all) {
      bars.clear()
      for (const bar of all) bars.set(bar.time, bar)
      last = all.at(-1)?.time ?? 0
      candles.setData(all.map(candleOf))
      volumes.setData(all.map(volumeOf))
      chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, all.length - SHOWN), to: Math.max(all.length, SHOWN / 2) + 4 })
      tell()
    },
    put(bar) {
      const past = bar.time < last
      bars.set(bar.time, bar)
      last = Math.max(last, bar.time)
      candles.update(candleOf(bar), past)
      volumes.update(volumeOf(bar), past)
      if (pointed === undefined || pointed === bar.time) tell()
    },
    decimals: (digits) => candles.applyOptions({ priceFormat: { type: 'price', precision: digits, minMove: 10 ** -digits } }),
    mark: (marks) => signs.setMarkers(signsOf(marks)),
    remove: () => chart.remove()
  }
}
