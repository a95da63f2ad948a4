/** What happened, in words: every decision, hole and comeback becomes one line of the log. */
import type { Gap, GapFilled, Published, Status } from '@tickwire/client'
import { count } from './format.ts'

export type Tone = 'info' | 'good' | 'warn' | 'bad'
type NoticeKind =
  | 'failover'
  | 'leader'
  | 'gap'
  | 'filled'
  | 'lost'
  | 'resumed'
  | 'restarted'
  | 'connection'
  | 'shutdown'
  | 'error'
  | 'provider'
  | 'command'
export type Notice = {
  at: number
  kind: NoticeKind
  tone: Tone
  instrument?: string
  text: string
  /** One cause often hits many instruments at once: notices of one group within a moment are one line with a count. */
  group?: string
  more?: number
}

const KEEP = 200
const GROUP_MS = 5_000
const LOOK_BACK = 12

/** Newest first, bounded, and grouped. */
export function addNotice(notices: readonly Notice[], notice: Notice): Notice[] {
  const same = notices
    .slice(0, LOOK_BACK)
    .findIndex((one) => one.group !== undefined && one.group === notice.group && Math.abs(notice.at - one.at) < GROUP_MS)
  if (same < 0) return [notice, ...notices].sort((a, b) => b.at - a.at).slice(0, KEEP)
  return notices.map((one, i) => (i === same ? { ...one, more: (one.more ?? 0) + 1 } : one))
}

/** A clause as a sentence. */
export const sentence = (text: string): string =>
  text.replace(/^\p{Ll}(?!\S*[\d@])/u, (letter) => letter.toUpperCase()).replace(/[^.!?]$/, '$&.')

/** What would be told as 0.0 s is told without a length. */
const SHORT_MS = 50
const span = (from: number, to: number): string => (to - from >= SHORT_MS ? ` (${((to - from) / 1_000).toFixed(1)} s)` : '')

/**
 * A status is worth a line when the leader changed, was lost or is there again; the first choice at the start is not news.
 * `before` is the decision that it replaces.
 */
export function statusNotice(status: Published<Status>, before?: Status): Notice | undefined {
  if (status.cause === 'unsubscribed') return undefined
  const wasOut = before !== undefined && before.leader === undefined && before.cause !== 'unsubscribed'
  if (status.cause === 'first' && !wasOut) return undefined
  const lost = status.leader === undefined
  return {
    at: status.published,
    kind: status.cause === 'first' ? 'leader' : 'failover',
    tone: lost ? 'bad' : ['failback', 'first'].includes(status.cause) ? 'good' : 'warn',
    instrument: status.instrument,
    text: sentence(status.reason),
    group: `${status.cause} ${status.previous} ${status.leader}`
  }
}

const ACTIONS = { resync: 'resynchronised', failover: 'another provider took over', open: 'still missing' } as const
const CAUSES = {
  sequence: 'a sequence was skipped',
  checksum: 'the checksum did not match',
  asked: 'asked for anew',
  silence: 'silence',
  disconnect: 'disconnected'
} as const

type Told = Pick<Gap, 'provider' | 'kind' | 'cause' | 'action' | 'from' | 'to'>
export const gapCause = ({ provider, kind, cause, from, to }: Told): string =>
  `${provider} ${kind}: ${CAUSES[cause]}${span(from, to)}`
export const gapText = (gap: Told): string => `${gapCause(gap)}, ${ACTIONS[gap.action]}`

export const gapNotice = (gap: Published<Gap>): Notice => ({
  at: gap.published,
  kind: 'gap',
  tone: gap.action === 'open' ? 'bad' : 'warn',
  ...(gap.instrument ? { instrument: gap.instrument } : {}),
  text: gapText(gap),
  group: `${gap.provider} ${gap.cause} ${gap.action}`
})

export const HOW = { rest: 'asked of', provider: 'taken from', snapshot: 'the newest state, of' } as const
export const eventsOf = (items: number): string => `${count(items)} ${items === 1 ? 'event' : 'events'}`

/** `items` 0 says that nothing was missing. */
export const filledNotice = (filled: Published<GapFilled>): Notice => {
  const { provider, kind, from, to, how, by, items, own } = filled
  const found = items === 0 ? 'nothing was missing' : eventsOf(items)
  return {
    at: filled.published,
    kind: 'filled',
    tone: 'good',
    instrument: filled.instrument,
    text: `${provider} ${kind}: gap${span(from, to)} filled: ${found}, ${HOW[how]} ${by}${own ? ', on its own topic' : ''}`,
    group: `${provider} filled ${how} ${by} ${items === 0}`
  }
}

export const lostNotice = (at: number, lost: { topic: string; count: number }): Notice => ({
  at,
  kind: 'lost',
  tone: 'bad',
  text: `This page read too slowly: ${count(lost.count)} events of ${lost.topic} were dropped.`
})
