/** The order book: the best levels of both sides, with the depth behind them. */
import type { Book as BookEvent, Level, Published } from '@tickwire/client'
import { useEffect, useState } from 'react'
import { rowOf, useTopics } from '../model/connection.ts'
import { bps, price, size } from '../model/format.ts'
import { listen, touch, useBeat } from '../model/pulse.ts'
import { Badge } from './badge.tsx'
import { LiquidityStrip } from './liquidity.tsx'

const LEVELS = 15

type Step = { price: number; size: number; sum: number }

/** Each level with the sum of all that stand before it. */
function steps(levels: readonly Level[]): Step[] {
  let sum = 0
  return levels.slice(0, LEVELS).map(([at, size]) => ({ price: at, size, sum: (sum += size) }))
}

/** The newest book of an instrument, shown at most ten times a second: faster cannot be read. */
function useBook(id: string): { book: Published<BookEvent> | undefined; refused: string | undefined } {
  const [held] = useState<{ book?: Published<BookEvent> }>(() => ({}))
  const [refused, setRefused] = useState<string>()
  useTopics(
    [`book:${id}`],
    (event) => {
      if (event.type !== 'book') return
      held.book = event
      touch(`book:${id}`)
    },
    setRefused
  )
  useBeat(`book:${id}`, 100)
  useEffect(() => listen(`book:${id}`, () => setRefused(undefined)), [id])
  return { book: held.book, refused }
}

function Side({ side, steps, deepest, decimals }: { side: 'bid' | 'ask'; steps: Step[]; deepest: number; decimals: number }) {
  const rows = side === 'ask' ? [...steps].reverse() : steps
  const missing = LEVELS - rows.length
  const blanks = Array.from({ length: missing }, (_, i) => <div key={`none ${i}`} className="level" aria-hidden />)
  const lines = rows.map((step, i) => (
    <div key={i} className="level" role="row">
      <i
        aria-hidden
        className={side === 'ask' ? 'bg-down/12' : 'bg-up/12'}
        style={{ width: deepest === 0 ? 0 : `${((step.sum / deepest) * 100).toFixed(1)}%` }}
      />
      <span role="cell" className={side === 'ask' ? 'text-down' : 'text-up'}>
        {price(step.price, decimals)}
      </span>
      <span role="cell">{size(step.size)}</span>
      <span role="cell" className="text-muted">
        {size(step.sum)}
      </span>
    </div>
  ))
  return (
    <div role="rowgroup" aria-label={side === 'ask' ? 'Asks' : 'Bids'} data-side={side}>
      {side === 'ask' && blanks}
      {lines}
      {side === 'bid' && blanks}
    </div>
  )
}

function Middle({ bid, ask, decimals }: { bid: number; ask: number; decimals: number }) {
  const mid = (bid + ask) / 2
  return (
    <div role="row" className="flex h-8 items-center justify-between border-y border-line px-3 text-[12px]">
      <span role="cell" className="text-[14px] font-semibold text-bright" title="Halfway between best bid and best ask">
        {price(mid, decimals + 1)}
      </span>
      <span role="cell" className="text-muted" title="Spread, and its share of the price">
        {price(ask - bid, decimals)} · {bps(((ask - bid) / mid) * 10_000).replace('+', '')}
      </span>
    </div>
  )
}

export function Book({ id }: { id: string }) {
  const { book, refused } = useBook(id)
  const decimals = rowOf(id).digits
  const asks = steps(book?.asks ?? [])
  const bids = steps(book?.bids ?? [])
  const deepest = Math.max(asks.at(-1)?.sum ?? 0, bids.at(-1)?.sum ?? 0)
  return (
    <>
      <div className="panel-head">
        <h3 className="caption">Book</h3>
        {book && <Badge book={book} />}
      </div>
      {book ? (
        <div role="table" aria-label="Order book" data-testid="book" className="pb-1">
          <div role="row" className="level caption">
            <span role="columnheader">Price</span>
            <span role="columnheader">Size</span>
            <span role="columnheader">Sum</span>
          </div>
          <Side side="ask" steps={asks} deepest={deepest} decimals={decimals} />
          {bids[0] && asks[0] && (
            <div role="rowgroup">
              <Middle bid={bids[0].price} ask={asks[0].price} decimals={decimals} />
            </div>
          )}
          <Side side="bid" steps={bids} deepest={deepest} decimals={decimals} />
        </div>
      ) : (
        <p className="note book-room">{refused ?? <span className="waiting">Waiting for the order book</span>}</p>
      )}
      <LiquidityStrip id={id} decimals={decimals} />
    </>
  )
}
