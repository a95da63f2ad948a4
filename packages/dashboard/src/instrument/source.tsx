/** One provider among the sources: its prices beside the leader's, how it fares, and why it is used or refused. */
import type { Quote, SourceReport } from '@tickwire/client'
import { Crown } from 'lucide-react'
import { CommandButton, Told, useCommand } from '../panels/command.tsx'
import { isPast, serverNow } from '../model/clock.ts'
import { useDesk } from '../model/desk.ts'
import { age, bps, clockTime, freshness, hundredths, latency, price } from '../model/format.ts'
import { resync, type BookStanding } from '../model/rest.ts'
import { BOOK_LOOKS } from './badge.tsx'
import { Bars } from './score.tsx'

const mid = (quote: Quote): number => (quote.bid + quote.ask) / 2

const LIFE: Record<SourceReport['liveness'], string> = {
  asked: 'text-muted',
  live: 'text-up',
  late: 'text-amber',
  stale: 'text-down',
  dead: 'text-down',
  closed: 'text-muted',
  halted: 'text-amber'
}

export type SourceProps = {
  id: string
  provider: string
  symbol: string
  quote: Quote | undefined
  lead: Quote | undefined
  leads: boolean
  decimals: number
  report: SourceReport | undefined
  /** Its own book, where it is asked for one. */
  book: BookStanding | undefined
}

/** Heard, but what it says does not count. */
const isRefused = (report: SourceReport | undefined): boolean =>
  report !== undefined && report.liveness !== 'asked' && report.weight === 0

function Name({ provider, symbol, leads, report }: SourceProps) {
  const refused = isRefused(report)
  return (
    <span className="inline-flex items-center gap-1.5" title={`${provider} calls it ${symbol}`}>
      <span className={refused ? 'text-muted line-through' : leads ? 'text-bright' : ''}>{provider}</span>
      {leads ? (
        <span className="inline-flex items-center gap-1 text-[10.5px] text-amber">
          <Crown size={11} aria-hidden /> leads
        </span>
      ) : (
        report?.role === 'standby' && <span className="text-[10.5px] text-muted">standby</span>
      )}
    </span>
  )
}

/** Its price where it sends no quotes: one for both columns. */
function Prices({ quote, report, decimals }: SourceProps) {
  const struck = isRefused(report) ? 'text-muted line-through' : ''
  if (!quote && report?.price !== undefined)
    return (
      <td colSpan={2} className={`px-1 text-right ${struck}`} title="Its last price">
        {price(report.price, decimals)}
      </td>
    )
  return (
    <>
      <td className={`px-1 text-right ${struck}`}>{price(quote?.bid, decimals)}</td>
      <td className={`px-1 text-right ${struck}`}>{price(quote?.ask, decimals)}</td>
    </>
  )
}

function Reason({ report }: { report: SourceReport }) {
  const { liveness, basis, reason } = report
  const delivers = liveness === 'live' || liveness === 'late'
  return (
    <p className="truncate" title={`${liveness}: ${reason}`}>
      <span className={LIFE[liveness]}>{liveness}</span>
      <span className={isRefused(report) ? 'text-amber' : ''}>{` · ${reason}`}</span>
      {basis !== undefined && (
        <span title="Its lasting distance from the others, which is allowed for">{` · basis ${bps(basis)}`}</span>
      )}
      {delivers && report.latency !== undefined && <span>{` · ${latency(report.latency)} to us`}</span>}
    </p>
  )
}

const bookWords = ({ state, sequence, resyncs, damage }: BookStanding): string =>
  [
    `Its book is ${state}`,
    sequence !== undefined && `sequence ${sequence}`,
    `asked for anew ${resyncs === 1 ? 'once' : `${resyncs} times`}`,
    damage && `last damage ${clockTime(damage.at)}: ${damage.cause}`,
    damage?.healedAfter !== undefined && `healed after ${age(damage.healedAfter)}`
  ]
    .filter(Boolean)
    .join('; ')

/** Why it counts or not; and its book, which can be asked for anew. What came of that stands in the place of the reason. */
function Foot({ id, provider, report, book }: SourceProps) {
  const command = useCommand(`resync at ${provider}`, () => resync(id, provider), id)
  return (
    <div className="flex items-center gap-2">
      <div className={`min-w-0 flex-1 ${command.told ? 'whitespace-normal' : 'truncate'}`}>
        <Told told={command.told} />
        {!command.told && (report ? <Reason report={report} /> : 'It has no part in this decision yet.')}
      </div>
      {book && (
        <>
          <span className="flex-none" title={bookWords(book)}>
            book <span className={BOOK_LOOKS[book.state].tone}>{book.state}</span>
          </span>
          <CommandButton
            name="resync"
            label={`Resync the book at ${provider}`}
            title={`Throws away the book of ${id} at ${provider} and asks for it anew`}
            command={command}
          />
        </>
      )}
    </div>
  )
}

/** Of the price, by its own time and its provider's clock; and at least since the server heard it. */
const ageOf = ({ time, received, clock }: Quote, offset: number): number =>
  serverNow() - (clock === undefined ? Math.min(received, time - offset) : received)

export function Source(props: SourceProps) {
  const { provider, quote, lead, leads, report } = props
  const offset = useDesk(({ providers }) => providers[provider]?.clock?.offset) ?? 0
  const old = quote ? ageOf(quote, offset) : report?.age
  const apart = quote && lead && !leads ? (mid(quote) / mid(lead) - 1) * 10_000 : undefined
  return (
    <tbody data-source={provider} data-liveness={report?.liveness} data-refused={isRefused(report) || undefined}>
      <tr className="h-[19px]">
        <th scope="row" className="pl-3 text-left font-medium text-text">
          <Name {...props} />
        </th>
        <Prices {...props} />
        <td className="px-1 text-right text-muted">{leads ? '·' : bps(apart)}</td>
        <td
          className="px-1 text-right"
          data-fresh={old === undefined ? undefined : isPast() ? 'replay' : freshness(old)}
          title={isPast() ? `${age(old)} old at the time of the replay` : undefined}
        >
          {isPast() && old !== undefined ? 'replay' : age(old)}
        </td>
        <td className="px-1 text-right max-sm:hidden">{report ? `${hundredths(report.weight)}%` : '–'}</td>
        <td className="pr-3 pl-1 text-right">{report ? <Bars score={report.score} inputs={report.inputs} /> : '–'}</td>
      </tr>
      <tr>
        <td colSpan={7} className="max-w-0 pr-3 pb-1 pl-3 text-[11px] text-muted">
          <Foot {...props} />
        </td>
      </tr>
    </tbody>
  )
}
