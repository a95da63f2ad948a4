/** The tape: the last trades, newest first. */
import type { Published, Trade } from '@tickwire/client'
import { memo, useEffect, useState } from 'react'
import { rowOf, useTopics } from '../model/connection.ts'
import { clockTime, price, size } from '../model/format.ts'
import { touch, useBeat } from '../model/pulse.ts'
import { fetchTrades } from '../model/rest.ts'

const SHOWN = 50
const SEED = 60

type Line = Published<Trade>
const keyOf = (trade: Line): string => `${trade.provider} ${trade.id ?? ''} ${trade.seq ?? trade.time}`

/** Newest first, each once: the past by REST and the live ones meet without a seam or a double. */
const merge = (newer: readonly Line[], older: readonly Line[]): Line[] => {
  const seen = new Set<string>()
  return [...newer, ...older].filter((trade) => !seen.has(keyOf(trade)) && seen.add(keyOf(trade))).slice(0, SHOWN)
}

/** The past is asked for once a trade was seen: before the first one the server has nothing to answer. */
function useTape(id: string): Line[] {
  const [held] = useState<{ lines: Line[] }>(() => ({ lines: [] }))
  const [flows, setFlows] = useState(false)
  useTopics([`trade:${id}`], (event) => {
    if (event.type !== 'trade') return
    setFlows(true)
    held.lines = merge([event], held.lines)
    touch(`tape:${id}`)
  })
  useEffect(() => {
    if (!flows) return undefined
    const stop = new AbortController()
    void fetchTrades(id, SEED, stop.signal).then((answer) => {
      if (stop.signal.aborted || !answer.ok) return
      const newestFirst = [...answer.value].sort((a, b) => b.seq - a.seq)
      held.lines = merge(held.lines, newestFirst)
      touch(`tape:${id}`)
    })
    return () => stop.abort()
  }, [id, held, flows])
  useBeat(`tape:${id}`, 120)
  return held.lines
}

const TONES = { buy: 'up', sell: 'down', unknown: undefined } as const
const SIDES = { buy: 'The taker bought', sell: 'The taker sold', unknown: 'The provider does not say who took' } as const

const HEADS = ['Price', 'Size', 'Provider', 'Time']

const Print = memo(function Print({ trade, decimals }: { trade: Line; decimals: number }) {
  return (
    <div role="row" className="print" title={SIDES[trade.side]} data-trade={trade.id}>
      <span role="cell" data-tone={TONES[trade.side]} className="text-right">
        {price(trade.price, decimals)}
      </span>
      <span role="cell" className="text-right">
        {size(trade.size)}
      </span>
      <span role="cell" className="truncate pl-1 text-muted">
        {trade.provider}
        {trade.backfill && (
          <abbr className="ml-1 text-amber no-underline" title="Filled in afterwards: in order, but late">
            late
          </abbr>
        )}
      </span>
      <span role="cell" className="text-right text-muted">
        {clockTime(trade.time)}
      </span>
    </div>
  )
})

export function Tape({ id }: { id: string }) {
  const lines = useTape(id)
  const decimals = rowOf(id).digits
  return (
    <>
      <div className="panel-head">
        <h3 className="caption">Trades</h3>
      </div>
      {lines.length === 0 ? (
        <p className="note">No trade yet.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Recent trades">
          <div role="table" aria-label="Recent trades, newest first" data-testid="tape">
            <div role="row" className="sr-only">
              {HEADS.map((head) => (
                <span key={head} role="columnheader">
                  {head}
                </span>
              ))}
            </div>
            {lines.map((trade) => (
              <Print key={keyOf(trade)} trade={trade} decimals={decimals} />
            ))}
          </div>
        </div>
      )}
    </>
  )
}
