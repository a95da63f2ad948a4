/** A page of many components that read the same topics, under StrictMode; it counts what they do. */
import { connect } from '@tickwire/client'
import { TickwireProvider, useBook, useCandles, useQuote, useStatus, useTopic } from '@tickwire/client/react'
import { createElement as h, StrictMode, useEffect, useState, type ReactElement } from 'react'
import { createRoot } from 'react-dom/client'

const client = connect({ url: new URLSearchParams(location.search).get('url') ?? location.origin, backoff: { min: 1, max: 10 } })
/** Of the first price: its commits, the frames since, and frames in which two components showed different prices. */
const seen = { commits: 0, frames: 0, torn: 0, candles: new Set<unknown>() }

function Price({ first }: { first: boolean }): ReactElement {
  const quote = useQuote('BTC-USDT')
  useEffect(() => {
    if (first) seen.commits++
  })
  return h('b', { className: 'price' }, quote?.bid ?? '–')
}

function Rest({ instrument }: { instrument: string }): ReactElement {
  const { event, result } = useTopic(`trade:${instrument}`)
  const book = useBook(instrument, { depth: 1 })
  const candles = useCandles(instrument, '1m')
  seen.candles.add(candles)
  const { phase } = useStatus()
  const told = { trade: event?.type === 'trade' && event.price, refused: result && !result.ok, book: book?.bids, phase }
  return h('pre', { id: 'rest' }, JSON.stringify({ ...told, candles: candles.map(({ close }) => close) }))
}

function Page(): ReactElement {
  const [shown, show] = useState(20)
  const [instrument, choose] = useState('BTC-USDT')
  Object.assign(globalThis, { seen, show, choose })
  const prices = Array.from({ length: shown }, (_, i) => h(Price, { key: i, first: i === 0 }))
  return h('main', {}, ...prices, shown > 0 && h(Rest, { instrument }))
}

function watch(): void {
  seen.frames++
  if (new Set([...document.querySelectorAll('.price')].map((price) => price.textContent)).size > 1) seen.torn++
  requestAnimationFrame(watch)
}
requestAnimationFrame(watch)

const root = document.getElementById('root')
if (root) createRoot(root).render(h(StrictMode, {}, h(TickwireProvider, { client }, h(Page))))
