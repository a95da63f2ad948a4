/** Where the price comes from: every source beside the leader, how much it counts, and why that one leads. */
import type { Arbitration, Published, Quote } from '@tickwire/client'
import { useCallback, useState } from 'react'
import { rowOf, useTopics } from '../model/connection.ts'
import { useDesk } from '../model/desk.ts'
import { price } from '../model/format.ts'
import { usePolled } from '../model/poll.ts'
import { CLOCK, touch, useBeat } from '../model/pulse.ts'
import type { Instrument } from '../model/listing.ts'
import { fetchBooks } from '../model/rest.ts'
import { Source } from './source.tsx'
import { Why } from './why.tsx'

const NONE: Instrument['providers'] = []
/** Decisions are made per kind; these two are what the page shows. */
const KINDS = ['quote', 'trade'] as const
type Shown = (typeof KINDS)[number]

const BOOKS_EVERY_MS = 5_000

type Heard = { quotes: Map<string, Published<Quote>>; decisions: Partial<Record<string, Arbitration>> }

function useHeard(id: string, providers: readonly string[]): Heard {
  const [heard] = useState<Heard>(() => ({ quotes: new Map(), decisions: {} }))
  useTopics(
    [...providers.map((provider) => `quote:${id}@${provider}`), ...KINDS.map((kind) => `arbitration:${id}:${kind}`)],
    (event) => {
      if (event.type === 'quote') heard.quotes.set(event.provider, event)
      else if (event.type === 'arbitration') heard.decisions[event.kind] = event
      else return
      touch(`sources:${id}`)
    }
  )
  useBeat(`sources:${id}`, 200)
  useBeat(`row:${id}`, 500)
  // Ages grow also while nothing comes.
  useBeat(CLOCK, 500)
  return heard
}

/** What all say together, and how far from it one may be. */
function Together({ decision, decimals }: { decision: Arbitration | undefined; decimals: number }) {
  const consensus = decision?.consensus
  if (!consensus) return <span>{decision ? 'no price counts now' : ''}</span>
  return (
    <span title="What the sources in use say together, and how far from it a price may be to be believed" data-testid="consensus">
      <span className="text-bright">{price(consensus.price, decimals)}</span>
      {` ± ${consensus.toleranceBps} bp · ${consensus.used} of ${consensus.sources}`}
    </span>
  )
}

const HEADS: { name: string; title?: string; room?: string }[] = [
  { name: 'Bid' },
  { name: 'Ask' },
  { name: 'vs lead', title: "Its middle price against the leader's, in hundredths of a percent" },
  { name: 'Age', title: 'Of its last price' },
  { name: 'Weight', title: 'Share of the consensus', room: 'max-sm:hidden' },
  { name: 'Score', title: 'Bars: freshness, latency, uptime, completeness, reliability' }
]

function Head() {
  return (
    <thead>
      <tr className="caption h-6">
        <th scope="col" className="pl-3 text-left font-semibold">
          Provider
        </th>
        {HEADS.map(({ name, title, room = '' }) => (
          <th key={name} scope="col" className={`px-1 text-right font-semibold last:pr-3 ${room}`} title={title}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Kinds({ kinds, shown, pick }: { kinds: readonly Shown[]; shown: Shown; pick: (kind: Shown) => void }) {
  if (kinds.length < 2) return null
  return (
    <div role="group" aria-label="Decision on" className="flex gap-1">
      {kinds.map((kind) => (
        <button key={kind} type="button" className="chip" aria-pressed={kind === shown} onClick={() => pick(kind)}>
          {kind}
        </button>
      ))}
    </div>
  )
}

export function Sources({ id }: { id: string }) {
  const info = useDesk((desk) => desk.byId.get(id))
  const [picked, pick] = useState<Shown>('quote')
  const listed = info?.providers ?? NONE
  const { quotes, decisions } = useHeard(
    id,
    listed.map((one) => one.provider)
  )
  const { value: books } = usePolled(
    useCallback((signal) => fetchBooks(id, signal), [id]),
    BOOKS_EVERY_MS
  )
  const row = rowOf(id)
  const kinds = KINDS.filter((kind) => decisions[kind])
  const shown = kinds.includes(picked) ? picked : (kinds[0] ?? picked)
  const decision = decisions[shown]
  // Whose quote is shown leads; the decision alone says it only until that quote comes.
  const leader = decision ? decision.leader : (row.provider ?? row.decisions.quote?.leader)
  const lead = leader === undefined ? undefined : quotes.get(leader)
  return (
    <>
      <div className="panel-head">
        <h3 className="caption">Sources</h3>
        <Kinds kinds={kinds} shown={shown} pick={pick} />
        <p className="ml-auto truncate text-[11px] text-muted">
          <Together decision={decision} decimals={row.digits} />
        </p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Sources of the price">
        <table className="w-full text-[12px] whitespace-nowrap" data-testid="sources">
          <Head />
          {listed.map(({ provider, symbol }) => (
            <Source
              key={provider}
              id={id}
              provider={provider}
              symbol={symbol}
              quote={quotes.get(provider)}
              lead={lead}
              leads={provider === leader}
              decimals={row.digits}
              report={decision?.sources.find((one) => one.provider === provider)}
              book={books?.find((one) => one.provider === provider)}
            />
          ))}
        </table>
        <Why row={row} decision={decision} />
      </div>
    </>
  )
}
