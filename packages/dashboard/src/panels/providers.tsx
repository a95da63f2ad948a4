/** Each provider's life: whether it delivers, how fast, what went wrong, and what its data is. */
import type { ProviderPhase, ProviderStatus } from '@tickwire/client'
import { useState } from 'react'
import { serverNow } from '../model/clock.ts'
import { isReplay, useDesk } from '../model/desk.ts'
import { age, clockTime, count, latency } from '../model/format.ts'
import { CLOCK, useBeat } from '../model/pulse.ts'
import { speedOf } from '../model/speed.ts'
import { sentence } from '../model/notices.ts'
import type { ProviderAbout } from '../model/listing.ts'
import { reconnect } from '../model/rest.ts'
import { CommandButton, Told, useCommand } from './command.tsx'
import { Latency } from './latency.tsx'

const LIGHTS: Record<ProviderPhase, string> = {
  idle: 'bg-muted',
  connecting: 'bg-amber',
  live: 'bg-up',
  stale: 'bg-amber',
  waiting: 'bg-down',
  stopped: 'bg-down'
}

/** From the third on they have room on a wide screen only; on a phone what is wrong is told in words. */
const HEADS: [string, string][] = [
  ['Latency', 'Median of our receipt less its own time, over its last trades and quotes'],
  ['Frames/s', 'Over the last ten seconds'],
  ['Subs', 'Subscriptions it carries for us'],
  ['Reconn', 'Connections made anew'],
  ['Gaps', 'Times it skipped data'],
  ['Refused', 'Frames of which nothing was used; hover for the reasons']
]

const roomOf = (column: number): string => (column >= 2 ? 'max-md:hidden' : '')

const sum = (refused: Record<string, number>): number => Object.values(refused).reduce((a, b) => a + b, 0)
const reasons = (refused: Record<string, number>): string =>
  Object.entries(refused)
    .map(([reason, times]) => `${reason}: ${count(times)}`)
    .join('\n') || 'Nothing was refused'

function Numbers({ status }: { status: ProviderStatus }) {
  const { subscriptions, reconnects, gaps, refused } = status
  const now = speedOf(status)
  const cells = [latency(now?.latency), count(now?.rate), count(subscriptions), count(reconnects), count(gaps)]
  const warn = [false, false, false, reconnects > 0, gaps > 0]
  const bad = sum(refused)
  return (
    <>
      {cells.map((text, i) => (
        <td key={HEADS[i]![0]} className={`px-1.5 text-right ${warn[i] ? 'text-amber' : ''} ${roomOf(i)}`}>
          {text}
        </td>
      ))}
      <td className={`pr-3 pl-1.5 text-right max-md:hidden ${bad > 0 ? 'text-amber' : ''}`} title={reasons(refused)}>
        {count(bad)}
      </td>
    </>
  )
}

/** `2 connections`, without an s for one. */
const many = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`

/** Its bounds, for whoever looks closer. */
function bounds({ limits }: ProviderAbout): string {
  if (!limits) return ''
  return [
    limits.connections === null ? '' : many(limits.connections, 'connection'),
    many(limits.subscriptionsPerConnection, 'subscription'),
    `${limits.requestsPerSecond} REST calls/s`
  ]
    .filter(Boolean)
    .join(', ')
}

const ALLOWED = {
  allowed: { tone: 'text-up', text: 'allowed' },
  restricted: { tone: 'text-amber', text: 'restricted: read its terms' },
  forbidden: { tone: 'text-down', text: 'forbidden: show it to nobody else' }
} as const

/** What is always true of it: what it covers, carries, needs, costs and forbids. */
function Facts({ known }: { known: ProviderAbout }) {
  const { about, feed, kinds = [], needs = [] } = known
  if (!about) return null
  const allowed = ALLOWED[about.redistribution]
  const facts: [name: string, text: string, tone?: string][] = [
    ['Covers', feed === undefined ? about.coverage : `${about.coverage}; now its feed ${feed}`],
    ['Carries', kinds.join(', ')],
    ['Needs', needs.length > 0 ? needs.join(' and ') : 'no key'],
    ['Costs', about.cost],
    ['Redistribution', allowed.text, allowed.tone]
  ]
  return (
    <dl className="mt-0.5 flex flex-wrap gap-x-3" title={bounds(known)}>
      {facts.map(([name, text, tone = 'text-text']) => (
        <div key={name} className="flex min-w-0 gap-x-1">
          <dt>{name}</dt>
          <dd className={`min-w-0 ${tone}`}>{text}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Beside what is said of it; of one that is not in use there is nothing to renew. */
function Reconnect({ provider }: { provider: string }) {
  const command = useCommand(`reconnect of ${provider}`, () => reconnect(provider))
  return (
    <span className="mr-2 inline-flex items-center gap-2 align-bottom">
      <CommandButton
        name="reconnect"
        label={`Reconnect ${provider}`}
        title={`Renews the connections of ${provider}, the new one first where it allows two`}
        command={command}
      />
      <Told told={command.told} />
    </span>
  )
}

function Words({ status, known }: { status: ProviderStatus; known: ProviderAbout }) {
  const { lastFailover: failover, market, reconnects, gaps } = status
  const wrong = [many(reconnects, 'reconnection'), many(gaps, 'gap'), `${count(sum(status.refused))} refused`].filter(
    (text) => !text.startsWith('0 ')
  )
  const { about } = known
  return (
    <>
      <span>{sentence(status.reason)} </span>
      {market && market !== 'regular' && <span className="text-amber">{`Its market: ${market}. `}</span>}
      <span className="text-amber md:hidden">{wrong.length > 0 && `${wrong.join(', ')}. `}</span>
      {failover && <span className="text-amber">{`Last failover ${clockTime(failover.at)}: ${failover.reason}. `}</span>}
      {status.phase !== 'idle' && !isReplay() && <Reconnect provider={status.provider} />}
      {about && (
        <a href={about.docs} target="_blank" rel="noopener noreferrer" className="underline decoration-edge hover:text-bright">
          Docs
        </a>
      )}
      <Facts known={known} />
    </>
  )
}

/** How it stands now says nothing about a replay. */
function Untold({ about }: { about: ProviderAbout }) {
  return (
    <tbody className="border-b border-line" data-provider={about.provider}>
      <tr className="h-6 text-[12px]">
        <th scope="row" className="pl-3 text-left font-medium whitespace-nowrap text-bright">
          {about.title ?? about.provider}
        </th>
        <td colSpan={6} className="px-3 text-muted">
          This recording has not told its state yet.
        </td>
      </tr>
    </tbody>
  )
}

function Lines({ about }: { about: ProviderAbout }) {
  const recorded = useDesk((desk) => desk.mode === 'capture')
  const told = useDesk((desk) => desk.providers[about.provider])
  if (!told && isReplay()) return <Untold about={about} />
  const status: ProviderStatus = told ?? about
  return (
    <tbody className="border-b border-line" data-provider={about.provider} data-phase={status.phase}>
      <tr className="h-6 text-[12px]">
        <th scope="row" className="pl-3 text-left font-medium whitespace-nowrap text-bright">
          <span aria-hidden className={`mr-2 inline-block size-2 rounded-full ${LIGHTS[status.phase]}`} />
          {about.title ?? about.provider}
          {status.simulated && (
            <span className="ml-1.5 rounded border border-amber/40 px-1 text-[10px] font-normal text-amber">
              {recorded ? 'recorded' : 'simulated'}
            </span>
          )}
          <span className="ml-2 font-normal text-text">{status.phase}</span>
          <span className="ml-1.5 font-normal text-muted" title={`since ${clockTime(status.since)}`}>
            {age(Math.round(Math.max(0, serverNow() - status.since) / 1_000) * 1_000).replace('.0', '')}
          </span>
        </th>
        <Numbers status={status} />
      </tr>
      <tr>
        <td colSpan={7} className="px-3 pb-1.5 pl-7 text-[11.5px] text-muted">
          <Words status={status} known={about} />
        </td>
      </tr>
    </tbody>
  )
}

function Table() {
  useBeat(CLOCK, 1_000)
  const abouts = useDesk((desk) => desk.abouts)
  if (abouts.length === 0) return <p className="note">No provider is known yet.</p>
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Providers">
      <table className="w-full" data-testid="providers">
        <thead>
          <tr className="h-6">
            <th scope="col" className="caption pl-3 text-left">
              Provider
            </th>
            {HEADS.map(([name, title], i) => (
              <th key={name} scope="col" title={title} className={`caption px-1.5 text-right last:pr-3 ${roomOf(i)}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {abouts.map((about) => (
          <Lines key={about.provider} about={about} />
        ))}
      </table>
    </div>
  )
}

const PARTS = [
  ['status', 'Status'],
  ['latency', 'Latency per hop']
] as const

export function Providers() {
  const [part, pick] = useState<'status' | 'latency'>('status')
  return (
    <>
      <div className="flex flex-none gap-1 border-b border-line px-2.5 py-1" role="group" aria-label="Of the providers">
        {PARTS.map(([name, title]) => (
          <button key={name} type="button" className="chip" aria-pressed={part === name} onClick={() => pick(name)}>
            {title}
          </button>
        ))}
      </div>
      {part === 'status' ? <Table /> : <Latency />}
    </>
  )
}
