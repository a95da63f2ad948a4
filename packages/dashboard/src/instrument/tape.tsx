/** The tape: the last trades, newest first. */
import type { Published, Trade } from '@tickwire/client'
import { useEffect, useState } from 'react'
import { rowOf, useTopics } from '../model/connection.ts'
import { useDesk } from '../model/desk.ts'
import { clockTime, price, size } from '../model/format.ts'
import { touch, useBeat } from '../model/pulse.ts'
import { fetchTrades } from '../model/rest.ts'
import { seedPoints } from '../model/row.ts'

const SHOWN = 50
const SEED = 200

type Line = Published<Trade>
const keyOf = (trade: Line): string => `${trade.provider} ${trade.id ?? ''} ${trade.seq ?? trade.time}`

/** Newest first, each once: the past by REST and the live ones meet without a seam or a double. */
const merge = (newer: readonly Line[], older: readonly Line[]): Line[] => {
  const seen = new Set<string>()
  return [...newer, ...older].filter((trade) => !seen.has(keyOf(trade)) && seen.add(keyOf(trade))).slice(0, SHOWN)
}

function useTape(id: string): { lines: Line[]; loaded: boolean } {
  const [held] = useState<{ lines: Line[] }>(() => ({ lines: [] }))
  const [loaded, setLoaded] = useState(false)
  useTopics([`trade:${id}`], (event) => {
    if (event.type !== 'trade') return
    held.lines = merge([event], held.lines)
    touch(`tape:${id}`)
  })
  useEffect(() => {
    const stop = new AbortController()
    void fetchTrades(id, SEED, stop.signal).then((answer) => {
      if (stop.signal.aborted) return
      setLoaded(true)
      if (!answer.ok) return
      const newestFirst = [...answer.value].sort((a, b) => b.seq - a.seq)
      held.lines = merge(held.lines, newestFirst)
      const row = rowOf(id)
      if (row.points.length < 20) seedPoints(row, newestFirst.reverse())
      touch(`row:${id}`)
      touch(`tape:${id}`)
    })
    return () => stop.abort()
  }, [id, held])
  useBeat(`tape:${id}`, 120)
  return { lines: held.lines, loaded }
}

const TONES = { buy: 'up', sell: 'down', unknown: undefined } as const
const SIDES = { buy: 'The taker bought', sell: 'The taker sold', unknown: 'The provider does not say who took' } as const

export function Tape({ id }: { id: string }) {
  const { lines, loaded } = useTape(id)
  const info = useDesk((desk) => desk.byId.get(id))
  return (
    <>
      <div className="panel-head">
        <h3 className="caption">Trades</h3>
      </div>
      {lines.length === 0 ? (
        <p className="note">{loaded ? 'No trade yet.' : <span className="pulse">Loading trades</span>}</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Recent trades">
          <table className="w-full text-[12px] whitespace-nowrap" data-testid="tape">
            <thead className="sr-only">
              <tr>
                <th scope="col">Price</th>
                <th scope="col">Size</th>
                <th scope="col">Provider</th>
                <th scope="col">Time</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((trade) => (
                <tr key={keyOf(trade)} className="h-[19px]" title={SIDES[trade.side]}>
                  <td data-tone={TONES[trade.side]} className="pl-3 text-right">
                    {price(trade.price, info?.priceDecimals)}
                  </td>
                  <td className="pl-2 text-right">{size(trade.size)}</td>
                  <td className="pl-3 text-muted">
                    {trade.provider}
                    {trade.backfill && (
                      <abbr className="ml-1 text-amber no-underline" title="Filled in afterwards: in order, but late">
                        late
                      </abbr>
                    )}
                  </td>
                  <td className="pr-3 text-right text-muted">{clockTime(trade.time)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}
