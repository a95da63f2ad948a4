/** The price one came for, large, with its day beside it. */
import { TrendingDown, TrendingUp } from 'lucide-react'
import { rowOf } from '../model/connection.ts'
import { isPast, serverNow } from '../model/clock.ts'
import { useDesk } from '../model/desk.ts'
import { age, clockTime, freshness, percent, percentShare, price, shortName, size } from '../model/format.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'
import { confidenceOf } from '../model/row.ts'
import { SURE } from '../grid/row.tsx'
import { Changes } from './changes.tsx'

function Fact({ name, title, children }: { name: string; title?: string; children: React.ReactNode }) {
  return (
    <div title={title} className="min-w-0">
      <dt className="caption">{name}</dt>
      <dd className="truncate text-text">{children}</dd>
    </div>
  )
}

function Age({ received }: { received: number | undefined }) {
  useBeat(CLOCK, 200)
  if (received === undefined) return <>–</>
  const old = serverNow() - received
  return (
    <span data-fresh={isPast() ? 'replay' : freshness(old)} title={`Last heard at ${clockTime(received)}`}>
      {isPast() ? `replay, ${age(old)}` : age(old)}
    </span>
  )
}

export function Headline({ id }: { id: string }) {
  useBeat(`row:${id}`, 60)
  const info = useDesk((desk) => desk.byId.get(id))
  const row = rowOf(id)
  const decimals = row.digits
  const sure = confidenceOf(row)
  const { name, suffix } = shortName(id)
  const tone = row.change === undefined ? undefined : row.change < 0 ? 'down' : 'up'
  const Trend = row.change !== undefined && row.change < 0 ? TrendingDown : TrendingUp
  return (
    <div className="flex flex-wrap items-end gap-x-7 gap-y-2 px-3 py-2.5">
      <div>
        <h2 className="text-[15px] font-semibold text-bright">
          {name}
          <span className="ml-1 text-[12px] font-normal text-muted">{suffix}</span>
          {info?.name && <span className="ml-2 text-[12px] font-normal text-muted">{info.name}</span>}
        </h2>
        <p className="flex items-baseline gap-2.5 whitespace-nowrap">
          <span data-testid="last" className="text-[26px] leading-8 font-semibold tracking-tight text-bright">
            {price(row.last, decimals)}
          </span>
          <span data-tone={tone} className="inline-flex items-center gap-1 text-[14px] font-medium">
            {row.change !== undefined && <Trend size={14} aria-hidden />}
            {percent(row.change)}
          </span>
        </p>
        <Changes id={id} />
      </div>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(76px,1fr))] gap-x-5 gap-y-1.5 pb-0.5 text-[12px] max-md:w-full md:flex-1">
        <Fact name="Bid">{price(row.bid, decimals)}</Fact>
        <Fact name="Ask">{price(row.ask, decimals)}</Fact>
        <Fact name="24h high">{price(row.high, decimals)}</Fact>
        <Fact name="24h low">{price(row.low, decimals)}</Fact>
        <Fact name="24h vol">{size(row.volume)}</Fact>
        <Fact name="Source" title="The provider that leads now">
          {row.provider ?? '–'}
        </Fact>
        <Fact name="Confidence" title={SURE}>
          {sure === undefined ? '–' : percentShare(sure)}
        </Fact>
        <Fact name="Age" title="Since the server last heard of it">
          <Age received={row.received} />
        </Fact>
      </dl>
    </div>
  )
}
