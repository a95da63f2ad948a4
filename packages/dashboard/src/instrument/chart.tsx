/** The candles of an instrument: history by REST, then live, in any of the twelve intervals. */
import { INTERVALS, type Candle, type Interval } from '@tickwire/client'
import { useEffect, useRef, useState } from 'react'
import { isPast, serverNow } from '../model/clock.ts'
import { rowOf, useTopics } from '../model/connection.ts'
import { useDesk } from '../model/desk.ts'
import { price, size } from '../model/format.ts'
import { gapsOf } from '../model/gaps.ts'
import { mark } from '../model/marks.ts'
import { client } from '../model/link.ts'
import { listen, touch } from '../model/pulse.ts'
import { fetchCandles, type Answer, type Past } from '../model/rest.ts'
import { marksOf, type ChartMark } from './marks.ts'
import { createPlot, type Bar, type Plot } from './plot.ts'

const HISTORY = 500
/** When more of the past is asked for, where some of it is missing. */
const AGAIN_MS = [2_000, 5_000, 15_000, 60_000]
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

const TOLD = 4
const WORDS = { open: 'text-amber', filled: 'text-up', revised: 'text-muted', partial: 'text-amber' } as const
const NAMES = { open: 'Gap', filled: 'Gap', revised: 'Candle', partial: 'Candle' } as const

/** What is to be said of the candle under the pointer. */
function Doubts({ marks }: { marks: readonly ChartMark[] }) {
  return (
    <>
      {marks.slice(0, TOLD).map(({ what, words }) => (
        <span key={`${what} ${words}`} className={`basis-full ${WORDS[what]}`}>{`${NAMES[what]}: ${words}`}</span>
      ))}
      {marks.length > TOLD && <span className="basis-full text-muted">{`and ${marks.length - TOLD} more`}</span>}
    </>
  )
}

type LegendProps = { bar: Bar | undefined; decimals: number | undefined; marks: readonly ChartMark[] }

function Legend({ bar, decimals, marks }: LegendProps) {
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
      <Doubts marks={marks.filter(({ time }) => time === bar.time)} />
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
  const latest = useRef(0)
  const [state, setState] = useState<{ trouble?: string; bars: number; loading: boolean }>({ bars: 0, loading: true })
  const epoch = useDesk((desk) => desk.connection?.hello?.epoch)

  useTopics([`candle:${id}:${interval}`], (event) => {
    if (event.type !== 'candle' || event.interval !== interval || !hold(held.current, event) || !held.current.loaded) return
    plot.current?.put(toBar(event))
    if (event.closed || event.start > latest.current) touch(`marks:${id}`)
    latest.current = Math.max(latest.current, event.start)
    setState((now) => (now.bars === held.current.bars.size ? now : { ...now, bars: held.current.bars.size }))
  })

  useEffect(() => {
    held.current = { bars: new Map(), loaded: false }
    setState({ bars: 0, loading: true })
    const stop = new AbortController()
    const until = isPast() ? serverNow() : undefined
    const take = (answer: Answer<Past>): void => {
      const live = [...held.current.bars.values()]
      if (answer.ok) for (const candle of answer.value.candles) held.current.bars.set(candle.start, candle)
      for (const candle of live) hold(held.current, candle)
      held.current.loaded = true
      const bars = [...held.current.bars.values()].sort((a, b) => a.start - b.start).map(toBar)
      plot.current?.reset(bars)
      mark('chart', bars.length > 0)
      touch(`marks:${id}`)
      setState({ bars: bars.length, loading: false, ...(answer.ok ? {} : { trouble: answer.message }) })
    }
    const load = async (turn: number): Promise<void> => {
      const answer = await fetchCandles(id, interval, HISTORY, stop.signal, until)
      if (stop.signal.aborted) return
      take(answer)
      const wait = AGAIN_MS[turn]
      // Providers are being asked for it, or refused it for now.
      if (!answer.ok || answer.value.missing === undefined || wait === undefined) return
      const timer = setTimeout(() => void load(turn + 1), wait)
      stop.signal.addEventListener('abort', () => clearTimeout(timer))
    }
    void load(0)
    return () => stop.abort()
  }, [id, interval, epoch, plot])
  return { ...state, held }
}

/** Draws the marks anew when a gap, a revision or a new candle came, and hands them on for their words. */
function useMarks(id: string, plot: React.RefObject<Plot | undefined>, held: React.RefObject<Held>): readonly ChartMark[] {
  const [marks, setMarks] = useState<readonly ChartMark[]>([])
  useEffect(() => {
    let text = ''
    const draw = (): void => {
      const candles = held.current.loaded ? [...held.current.bars.values()].sort((a, b) => a.start - b.start) : []
      const made = marksOf(candles, gapsOf(id))
      const said = JSON.stringify(made)
      if (said === text) return
      text = said
      plot.current?.mark(made)
      setMarks(made)
    }
    const stops = [listen(`marks:${id}`, draw), listen(`gaps:${id}`, draw)]
    draw()
    return () => stops.forEach((stop) => stop())
  }, [id, plot, held])
  return marks
}

/** How many marks there are, for those who do not find them by pointing. */
function Tally({ marks }: { marks: readonly ChartMark[] }) {
  const count = (what: ChartMark['what']): number => marks.filter((one) => one.what === what).length
  const parts = [
    [count('open'), 'open', 'text-amber', '■'],
    [count('filled'), 'filled', 'text-up', '■'],
    [count('revised'), 'revised', 'text-muted', '▲'],
    [count('partial'), 'incomplete', 'text-amber', '●']
  ] as const
  return (
    <p
      data-testid="tally"
      className="absolute bottom-[52px] left-2 z-10 flex gap-2.5 rounded bg-panel/85 px-1 text-[10.5px] whitespace-nowrap text-muted"
      title="Marks on the chart: gaps above the candles; revisions and missing parts below. Point at one to read it."
    >
      {parts
        .filter(([n]) => n > 0)
        .map(([n, name, tone, sign]) => (
          <span key={name}>
            <span aria-hidden className={tone}>
              {sign}
            </span>{' '}
            {`${n} ${name}`}
          </span>
        ))}
    </p>
  )
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
  const { trouble, bars, loading, held } = useCandles(id, interval, plot)
  const marks = useMarks(id, plot, held)
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
        <Legend bar={bar} decimals={decimals} marks={marks} />
        <div
          ref={box}
          className="absolute inset-0"
          role="img"
          aria-label={`Candles of ${id}, ${interval}`}
          data-testid="chart"
          data-bars={bars}
          data-gaps={marks.map(({ what }) => what).join(' ')}
        />
        {bars === 0 && <p className={`note pointer-events-none absolute inset-0 z-10 ${loading ? 'waiting' : ''}`}>{empty}</p>}
        {trouble && (
          <p role="status" className="absolute top-6 left-3 z-10 max-w-[calc(100%-6rem)] text-[11.5px] text-amber">
            {`No history: ${trouble} ${isPast() ? 'Those of the replay' : 'Live candles'} follow.`}
          </p>
        )}
        {marks.length > 0 && <Tally marks={marks} />}
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
