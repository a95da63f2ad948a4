/** Where the price comes from: each provider's own quote beside the leader's, and why that one leads. */
import type { Published, Quote } from '@tickwire/client'
import { Crown } from 'lucide-react'
import { useState } from 'react'
import { rowOf, useTopics } from '../model/connection.ts'
import { serverNow } from '../model/clock.ts'
import { useDesk } from '../model/desk.ts'
import { age, bps, clockTime, freshness, price } from '../model/format.ts'
import { gapText, sentence } from '../model/notices.ts'
import { CLOCK, touch, useBeat } from '../model/pulse.ts'
import type { Instrument } from '../model/rest.ts'
import { newestDecision, type Row } from '../model/row.ts'

const NONE: Instrument['providers'] = []
const mid = (quote: Quote): number => (quote.bid + quote.ask) / 2

type Quotes = Map<string, Published<Quote>>

function useQuotes(id: string, providers: readonly string[]): Quotes {
  const [quotes] = useState<Quotes>(() => new Map())
  useTopics(
    providers.map((provider) => `quote:${id}@${provider}`),
    (event) => {
      if (event.type !== 'quote') return
      quotes.set(event.provider, event)
      touch(`sources:${id}`)
    }
  )
  useBeat(`sources:${id}`, 200)
  useBeat(`row:${id}`, 500)
  // Ages grow also while nothing comes.
  useBeat(CLOCK, 500)
  return quotes
}

type LineProps = {
  provider: string
  symbol: string
  quote: Quote | undefined
  lead: Quote | undefined
  leads: boolean
  decimals: number
}

function Line({ provider, symbol, quote, lead, leads, decimals }: LineProps) {
  const old = quote && serverNow() - quote.received
  const apart = quote && lead && !leads ? (mid(quote) / mid(lead) - 1) * 10_000 : undefined
  return (
    <tr className="h-[22px]">
      <th scope="row" className="pl-3 text-left font-medium text-text">
        <span className="inline-flex items-center gap-1.5" title={`${provider} calls it ${symbol}`}>
          <span className={leads ? 'text-bright' : ''}>{provider}</span>
          {leads && (
            <span className="inline-flex items-center gap-1 text-[10.5px] text-amber">
              <Crown size={11} aria-hidden /> leads
            </span>
          )}
        </span>
      </th>
      <td className="text-right">{price(quote?.bid, decimals)}</td>
      <td className="text-right">{price(quote?.ask, decimals)}</td>
      <td className="text-right text-muted">{leads ? '·' : bps(apart)}</td>
      <td className="pr-3 text-right" data-fresh={old === undefined ? undefined : freshness(old)}>
        {age(old)}
      </td>
    </tr>
  )
}

function Why({ row }: { row: Row }) {
  const status = newestDecision(row)
  const gaps = row.gaps.slice(0, 3)
  return (
    <div data-testid="why" className="space-y-1.5 border-t border-line px-3 py-2 text-[12px]">
      <p>
        <span className="caption mr-2">Why</span>
        {status && <span className="mr-1.5 text-muted">{clockTime(status.published)}</span>}
        {status ? sentence(status.reason) : 'The arbiter has not decided yet.'}
      </p>
      {gaps.map((gap) => (
        <p key={`${gap.published} ${gap.seq}`} className="text-amber">
          <span className="caption mr-2">Gap</span>
          {clockTime(gap.published)} {gapText(gap)}
        </p>
      ))}
      {gaps.length === 0 && <p className="text-muted">No gap since this page was opened.</p>}
    </div>
  )
}

export function Sources({ id }: { id: string }) {
  const info = useDesk((desk) => desk.byId.get(id))
  const listed = info?.providers ?? NONE
  const quotes = useQuotes(
    id,
    listed.map((one) => one.provider)
  )
  const row = rowOf(id)
  // Whose quote is shown leads; the decision alone says it only until that quote comes.
  const leader = row.provider ?? row.decisions.quote?.leader
  const lead = leader === undefined ? undefined : quotes.get(leader)
  return (
    <>
      <div className="panel-head">
        <h3 className="caption">Sources</h3>
        <span className="ml-auto text-[11px] text-muted">
          {listed.length === 1 ? 'one provider' : `${listed.length} providers`}
        </span>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Sources of the price">
        <table className="w-full text-[12px] whitespace-nowrap" data-testid="sources">
          <thead>
            <tr className="caption h-6">
              <th scope="col" className="pl-3 text-left font-semibold">
                Provider
              </th>
              <th scope="col" className="text-right font-semibold">
                Bid
              </th>
              <th scope="col" className="text-right font-semibold">
                Ask
              </th>
              <th
                scope="col"
                className="text-right font-semibold"
                title="Its middle price against the leader's, in hundredths of a percent"
              >
                vs lead
              </th>
              <th scope="col" className="pr-3 text-right font-semibold">
                Age
              </th>
            </tr>
          </thead>
          <tbody>
            {listed.map(({ provider, symbol }) => (
              <Line
                key={provider}
                provider={provider}
                symbol={symbol}
                quote={quotes.get(provider)}
                lead={lead}
                leads={provider === leader}
                decimals={row.digits}
              />
            ))}
          </tbody>
        </table>
        <Why row={row} />
      </div>
    </>
  )
}
