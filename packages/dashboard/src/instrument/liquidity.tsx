/** How liquid the instrument is now, in figures made of its book. */
import type { Liquidity, Published } from '@tickwire/client'
import { useState } from 'react'
import { useTopics } from '../model/connection.ts'
import { price, size } from '../model/format.ts'
import { touch, useBeat } from '../model/pulse.ts'

function useLiquidity(id: string): Published<Liquidity> | undefined {
  const [held] = useState<{ told?: Published<Liquidity> }>(() => ({}))
  useTopics([`liquidity:${id}`], (event) => {
    if (event.type !== 'liquidity') return
    held.told = event
    touch(`liquidity:${id}`)
  })
  useBeat(`liquidity:${id}`, 500)
  return held.told
}

function Figure({ name, title, children }: { name: string; title: string; children: React.ReactNode }) {
  return (
    <div className="flex min-w-0 justify-between gap-2" title={title}>
      <dt className="text-muted">{name}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  )
}

/** To the right more is bid, to the left more is asked. */
function Balance({ share }: { share: number }) {
  const width = Math.min(50, Math.abs(share) * 50)
  return (
    <i aria-hidden className="relative mr-1.5 inline-block h-1 w-8 rounded-full bg-edge align-middle">
      <i
        className={`absolute inset-y-0 rounded-full ${share < 0 ? 'bg-down' : 'bg-up'}`}
        style={{ left: `${share < 0 ? 50 - width : 50}%`, width: `${width}%` }}
      />
    </i>
  )
}

const levels = (all: Liquidity['support'], decimals: number): string =>
  all.map(([at, amount]) => `${price(at, decimals)} (${size(amount)})`).join(', ') || 'none'

export function LiquidityStrip({ id, decimals }: { id: string; decimals: number }) {
  const told = useLiquidity(id)
  // As it is usual, or as far as the book reaches.
  const near = told?.depth.find(({ bps }) => bps >= 10) ?? told?.depth.at(-1)
  const walls = told && `Largest below: ${levels(told.support, decimals)}. Largest above: ${levels(told.resistance, decimals)}`
  return (
    <dl
      data-testid="liquidity"
      data-stale={told?.stale}
      title={told?.stale ? 'Its book no longer holds: this is how it was last' : undefined}
      className="grid h-[42px] flex-none grid-cols-2 content-center gap-x-4 border-t border-line px-3 text-[11px] data-stale:line-through data-stale:opacity-50"
    >
      <Figure name="Spread" title="Ask less bid, in hundredths of a percent of the middle">
        {told ? `${told.spreadBps.toFixed(2)} bp` : '–'}
      </Figure>
      <Figure name="Micro" title="Middle weighted by the sizes of the other side: where the next trade is likelier">
        {price(told?.microprice, decimals)}
      </Figure>
      <Figure
        name="Imbal"
        title={`More bid than asked (+) or less (−) within ${told?.depth.at(-1)?.bps ?? told?.reach ?? 100} basis points of the middle`}
      >
        {told && <Balance share={told.imbalance} />}
        {told ? `${told.imbalance < 0 ? '−' : '+'}${Math.abs(told.imbalance * 100).toFixed(0)} %` : '–'}
      </Figure>
      <Figure
        name={near ? `≤${near.bps} bp` : 'Depth'}
        title={`What can be sold and bought within ${near?.bps ?? 'a few'} basis points of the middle. ${walls ?? ''}`}
      >
        {near ? (
          <>
            <span className="text-up">{size(near.bids)}</span> / <span className="text-down">{size(near.asks)}</span>
          </>
        ) : (
          '–'
        )}
      </Figure>
    </dl>
  )
}
