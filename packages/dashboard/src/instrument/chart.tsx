/** The candles of an instrument: history by REST, then live, in any of the twelve intervals. */
import { INTERVALS, type Candle, type Interval } from '@tickwire/client'
import { useEffect, useRef, useState } from 'react'
import { client, rowOf, useTopics } from '../model/connection.ts'
import { useDesk } from '../model/desk.ts'
import { price, size } from '../model/format.ts'
import { mark } from '../model/marks.ts'
import { fetchCandles } from '../model/rest.ts'
import { createPlot, type Bar, type Plot } from './plot.ts'

const HISTORY = 500
const KEY = 'tickwire.interval'
const isInterval = (text: string | null): text is Interval => INTERVALS.some((one) => one === text)

const remembered = (): Interval => {
  try {
    const kept = localStorage.getItem(KEY)
    return isInterval(kept) ? kept : '1m'
  } catch {
    return '1m'
  }
}

const toBar = (candle: Candle): Bar => ({
  time: candle.start / 1_000,
  open: candle.open,
  high: candle.high,
  low: candle.low,
  close: candle.close,
  volume: candle.volume
})

function Legend({ bar, decimals }: { bar: Bar | undefined; decimals: number | undefined }) {
  if (!bar) return null
  const tone = bar.close < bar.open ? 'down' : 'up'
  const part = (name: string, value: string) => (
    <span key={name}>
      <span className="text-muted">{name}</span> <span data-tone={tone}>{value}</span>
    </span>
  )
  return (
    <p
      data-testid="ohlc"
      className="pointer-events-none absolute top-1.5 left-3 z-10 flex max-w-[calc(100%-6rem)] flex-wrap gap-x-2.5 text-[11.5px]"
    >
      {[part('O', price(bar.open, decimals)), part('H', price(bar.high, decimals)), part('L', price(bar.low, decimals))]}
      {[part('C', price(bar.close, decimals)), part('Vol', size(bar.volume))]}
    </p>
  )
}

function Intervals({ interval, pick }: { interval: Interval; pick: (interval: Interval) => void }) {
  return (
    <div className="panel-head gap-1! overflow-x-auto" role="group" aria-label="Interval of the candles">
      {INTERVALS.map((one) => (
        <button key={one} type="button" className="chip" aria-pressed={one === interval} onClick={() => pick(one)}>
          {one}
        </button>
      ))}
    </div>
  )
}

/** Every bar known, by its start: history and live candles may arrive in either order, and the higher revision stands. */
type Held = { bars: Map<number, Candle>; loaded: boolean }

function hold(held: Held, candle: Candle): boolean {
  const known = held.bars.get(candle.start)
  if (known && known.provider === candle.provider && known.revision > candle.revision) return false
  held.bars.set(candle.start, candle)
  return true
}

/** Feeds the plot; says what is wrong and how many bars there are. */
function useCandles(id: string, interval: Interval, plot: React.RefObject<Plot | undefined>) {
  const held = useRef<Held>({ bars: new Map(), loaded: false })
  const [state, setState] = useState<{ trouble?: string; bars: number; loading: boolean }>({ bars: 0, loading: true })
  const epoch = useDesk((desk) => desk.connection?.hello?.epoch)

  useTopics([`candle:${id}:${interval}`], (event) => {
    if (event.type !== 'candle' || event.interval !== interval || !hold(held.current, event) || !held.current.loaded) return
    plot.current?.put(toBar(event))
    setState((now) => (now.bars === held.current.bars.size ? now : { ...now, bars: held.current.bars.size }))
  })

  useEffect(() => {
    held.current = { bars: new Map(), loaded: false }
    setState({ bars: 0, loading: true })
    const stop = new AbortController()
    void fetchCandles(id, interval, HISTORY, stop.signal).then((answer) => {
      if (stop.signal.aborted) return
      const live = [...held.current.bars.values()]
      if (answer.ok) for (const candle of answer.value) held.current.bars.set(candle.start, candle)
      for (const candle of live) hold(held.current, candle)
      held.current.loaded = true
      const bars = [...held.current.bars.values()].sort((a, b) => a.start - b.start).map(toBar)
      plot.current?.reset(bars)
      mark('chart', bars.length > 0)
      setState({ bars: bars.length, loading: false, ...(answer.ok ? {} : { trouble: answer.message }) })
    })
    return () => stop.abort()
  }, [id, interval, epoch, plot])
  return state
}

export function Chart({ id }: { id: string }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot>(undefined)
  const [interval, setInterval] = useState(remembered)
  const [bar, setBar] = useState<Bar>()

  useEffect(() => {
    const made = createPlot(box.current!, setBar)
    plot.current = made
    return () => made.remove()
  }, [])
  const { trouble, bars, loading } = useCandles(id, interval, plot)
  const decimals = bar && rowOf(id).digits
  useEffect(() => {
    if (decimals !== undefined) plot.current?.decimals(decimals)
  }, [decimals])

  const pick = (next: Interval): void => {
    setInterval(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      /* a private window: nothing to do */
    }
  }
  const empty = loading
    ? 'Loading candles'
    : client.state().phase === 'open'
      ? 'No trade yet in this interval.'
      : 'Not connected.'
  return (
    <>
      <Intervals interval={interval} pick={pick} />
      <div className="relative min-h-0 flex-1">
        <Legend bar={bar} decimals={decimals} />
        <div
          ref={box}
          className="absolute inset-0"
          role="img"
          aria-label={`Candles of ${id}, ${interval}`}
          data-testid="chart"
          data-bars={bars}
        />
        {bars === 0 && <p className={`note pointer-events-none absolute inset-0 ${loading ? 'waiting' : ''}`}>{empty}</p>}
        {trouble && (
          <p role="status" className="absolute top-6 left-3 z-10 max-w-[calc(100%-6rem)] text-[11.5px] text-amber">
            {`No history: ${trouble} Live candles follow.`}
          </p>
        )}
        <a
          href="https://www.tradingview.com/"
          target="_blank"
          rel="noopener noreferrer"
          className="absolute bottom-8 left-2 z-10 rounded bg-panel/85 px-1 text-[10.5px] text-muted hover:text-bright"
        >
          Charts by TradingView
        </a>
      </div>
    </>
  )
}
