/** The life of ONE connection to a provider as a pure step: (state, input) → effects. No socket, no timer, no clock. */
import type { ProviderPhase } from '@tickwire/protocol'
import type { Access, Adapter, Frame, Subscription } from '../providers/adapter.ts'
import { keyOf, openAsks } from './asks.ts'
import { DENIED, SETTINGS, type Effect, type Input, type Settings, type State } from './connection.ts'
import { breakOff, openHoles, reopen } from './holes.ts'
import { openPace } from './pace.ts'
import { openPulse } from '../arbiter/pulse.ts'
import { answered, due } from './refill.ts'
import { seconds } from '../arbiter/liveness.ts'
import { isClosed, silence } from './silence.ts'
import { endOf, nextAt } from './rotation.ts'
import { openAuditor } from './audit.ts'
import { auditDue, audited } from './auditor.ts'
import { doubtAll, lose, trustAgain } from './shown.ts'
import { fetched, fetching, openShelf } from './shelf.ts'
import { askedAnew, isOpen, send, settleUp } from './settle.ts'
import { understand } from './understand.ts'

/** A connection that stood for this long was a good one, even where nothing was traded. */
const STOOD = 60_000
/** Login and subscribing take this long before market data can be expected. */
const INTRODUCTION = 2_000
const LATE_TICK = 500

export function start<S>(
  adapter: Adapter<S>,
  wanted: readonly Subscription[],
  now: number,
  access: Access = {},
  settings: Settings = SETTINGS,
  route = ''
): State<S> {
  return {
    phase: 'idle',
    access,
    route,
    settings,
    session: adapter.open(access, route),
    wanted: new Map(wanted.map((s) => [keyOf(s), s])),
    unsettled: true,
    asks: openAsks(),
    shelf: openShelf(),
    auditor: openAuditor(now, settings.auditEvery),
    pace: openPace(adapter.limits.framesPerSecond),
    attempt: 0,
    denials: 0,
    holes: openHoles(),
    proven: false,
    streams: false,
    openedAt: now,
    downSince: now,
    dialAt: now,
    heard: now,
    pulse: openPulse(),
    tickedAt: now,
    pingAt: Infinity,
    rotateAt: Infinity
  }
}

/** Full jitter, so that a provider's restart does not meet every client at the same instant. */
export const backoff = (attempt: number, random: () => number, { base, cap } = SETTINGS.backoff): number =>
  random() * Math.min(cap, base * 2 ** Math.min(Math.max(attempt, 0), 30))

export function step<S>(adapter: Adapter<S>, s: State<S>, input: Input, random: () => number): Effect[] {
  if (s.phase === 'stopped') return []
  switch (input.type) {
    case 'tick':
      return tick(adapter, s, input.now)
    case 'opened':
      return opened(adapter, s, input.now, random)
    case 'frame':
      return frame(adapter, s, input.frame, input.now)
    case 'answer':
      return answer(adapter, s, input)
    case 'failed':
      return failed(adapter, s, input)
    case 'closed':
      return closed(adapter, s, input, random)
    case 'resync':
      return settleUp(adapter, s, askedAnew(s, input.symbol, input.now), input.now)
    default:
      return want(adapter, s, input)
  }
}

function want<S>(adapter: Adapter<S>, s: State<S>, { wanted, now }: Extract<Input, { type: 'want' }>): Effect[] {
  const before = s.wanted
  s.wanted = new Map(wanted.map((w) => [keyOf(w), w]))
  s.unsettled = true
  // It will speak less from now on.
  if ([...before.keys()].some((key) => !s.wanted.has(key))) {
    s.pulse = openPulse()
    s.streams = false
  }
  return settleUp(adapter, s, [], now)
}

const becauseOf = ({ trouble }: { trouble?: string | undefined }): string => (trouble === undefined ? '' : ` (${trouble})`)

function setPhase(s: { phase: ProviderPhase }, phase: ProviderPhase, reason: string): Effect[] {
  s.phase = phase
  return [{ type: 'phase', phase, reason }]
}

function tick<S>(adapter: Adapter<S>, s: State<S>, now: number): Effect[] {
  if (s.phase === 'connecting') return []
  if (!isOpen(s)) {
    if (now < s.dialAt) return []
    return [...setPhase(s, 'connecting', s.attempt === 0 ? 'dialling' : `dialling, attempt ${s.attempt + 1}`), { type: 'dial' }]
  }
  const silent = now - s.heard
  if (silent > adapter.staleAfter && !isClosed(adapter, s, now))
    return [{ type: 'hangup', reason: `nothing heard for ${seconds(silent)}${becauseOf(s)}` }]
  if (adapter.isAdmitted?.(s.session) === false && now - s.openedAt >= s.settings.patience)
    return [{ type: 'hangup', reason: `login not answered for ${seconds(now - s.openedAt)}${becauseOf(s)}` }]
  // It was we who stood still: what waits in the socket must be read before the provider is judged.
  if (s.phase === 'live' && now - s.tickedAt > LATE_TICK) s.pulse.heard = Math.max(s.pulse.heard, now)
  s.tickedAt = now
  const effects = [...judgeSilence(adapter, s, now), ...auditDue(adapter, s, now)]
  if (adapter.ping && now >= s.pingAt) {
    s.pingAt = now + adapter.ping.every
    const { frame: said } = adapter.ping
    const ping = typeof said === 'function' ? said(s.session) : said
    if (ping !== undefined) s.pace.urgent.push(ping)
  }
  if (now >= s.rotateAt) {
    s.rotateAt = Infinity
    effects.push({ type: 'rotate', reason: 'this connection nears its end' })
  }
  if (s.holes.open.size > 0) effects.push(...due(s.holes, adapter, s.access, (symbol) => isOn(s, symbol), now))
  return settleUp(adapter, s, effects, now)
}

function opened<S>(adapter: Adapter<S>, s: State<S>, now: number, random: () => number): Effect[] {
  s.session = adapter.open(s.access, s.route)
  s.asks = openAsks()
  s.unsettled = true
  s.shelf = openShelf(s.shelf.records)
  s.auditor = openAuditor(now, s.settings.auditEvery * (0.5 + random() / 2))
  s.pace = openPace(adapter.limits.framesPerSecond)
  s.heard = s.openedAt = now
  s.pulse.heard = now + INTRODUCTION
  s.pingAt = now + (adapter.ping?.every ?? Infinity)
  s.trouble = undefined
  reopen(s.holes, now)
  s.rotateAt = Math.min(endOf(adapter, s, now, random), ...s.settings.rotateAt.map((time) => nextAt(time, now)))
  const effects = setPhase(s, 'live', 'connected')
  if (adapter.greet) s.pace.urgent.push(...adapter.greet(s.session))
  return settleUp(adapter, s, effects, now)
}

function frame<S>(adapter: Adapter<S>, s: State<S>, text: Frame, now: number): Effect[] {
  if (!isOpen(s)) return []
  s.heard = now
  const understood = understand(adapter, s, text, now)
  s.streams ||= understood.some(({ type }) => type === 'event')
  return send(adapter, s, s.phase === 'stale' ? [...judgeSilence(adapter, s, now), ...understood] : understood, now)
}

/** An open connection without market data is stale: heartbeats alone keep no price fresh. */
function judgeSilence<S>(adapter: Adapter<S>, s: State<S>, now: number): Effect[] {
  const why = silence(adapter, s, now)
  if (why !== undefined) return s.phase === 'stale' ? [] : [...doubtAll(s), ...setPhase(s, 'stale', why)]
  return s.phase === 'stale' ? [...setPhase(s, 'live', 'speaks again'), ...trustAgain(adapter, s)] : []
}

function answer<S>(adapter: Adapter<S>, s: State<S>, input: Extract<Input, { type: 'answer' }>): Effect[] {
  if (!isOpen(s)) return []
  const { need, body, unchanged, now } = input
  // That its REST answers says nothing of a socket that used to speak.
  if (!s.streams) s.heard = now
  s.trouble = undefined
  fetching(s.shelf, need, false)
  const effects = unchanged === true ? [] : understand(adapter, s, body, now, need)
  fetched(s.shelf, need, now)
  answered(s.holes, need, now, effects.find((e) => e.type === 'rejected' || e.type === 'refused')?.reason, effects)
  return send(adapter, s, effects, now)
}

function failed<S>(
  adapter: Adapter<S>,
  s: State<S>,
  { need, reason, status, now }: Extract<Input, { type: 'failed' }>
): Effect[] {
  fetching(s.shelf, need, false)
  fetched(s.shelf, need, now)
  s.trouble = `REST ${need.purpose}: ${reason}`
  if (need.purpose === 'audit') return audited(adapter, s, need, undefined, now)
  const effects: Effect[] = [{ type: 'refused', reason: `REST ${need.purpose}${status === undefined ? '' : `: HTTP ${status}`}` }]
  answered(s.holes, need, now, reason, effects)
  // History may be beyond the plan; the data itself, refused for the credentials, ends the storm.
  const denied =
    (status === 401 || status === 403) &&
    (need.purpose === 'login' || (need.purpose === 'snapshot' && adapter.wsUrl === undefined))
  return denied ? [...effects, { type: 'hangup', reason: s.trouble, denied }] : effects
}

const isOn = <S>({ asks }: State<S>, symbol: string): boolean =>
  asks.all.get(keyOf({ kind: 'trade', symbol }))?.state === 'confirmed'
const tradedOf = <S>({ wanted }: State<S>): string[] =>
  [...wanted.values()].flatMap(({ kind, symbol }) => (kind === 'trade' ? [symbol] : []))

function closed<S>(adapter: Adapter<S>, s: State<S>, input: Extract<Input, { type: 'closed' }>, random: () => number): Effect[] {
  const { now, reason } = input
  const { backoff: usual, attempts, breakAfter, breakFor } = s.settings
  // A token that was renewed meanwhile was not refused before.
  const refused = input.denied ? JSON.stringify(s.access) : undefined
  s.denials = refused === undefined ? 0 : refused === s.refused ? s.denials + 1 : 1
  s.refused = refused
  // The loss of a good connection is no failed attempt.
  const wasGood = s.proven || (isOpen(s) && now - s.openedAt >= STOOD)
  s.attempt = wasGood ? 0 : s.attempt + 1
  if (wasGood) s.downSince = now
  s.proven = false
  breakOff(s.holes, tradedOf(s))
  const lost = lose(s, now)
  if (attempts > 0 && s.attempt >= attempts)
    return [...lost, ...setPhase(s, 'stopped', `given up after ${attempts} failed attempts in a row: ${reason}`)]
  const limits = input.outage ? { ...usual, cap: Math.min(usual.cap, outageCap(adapter, now - s.downSince)) } : usual
  const broken = s.attempt >= breakAfter && input.outage !== true ? breakFor : 0
  const least = Math.max(input.wait ?? 0, s.denials > DENIED.tries ? DENIED.wait : broken)
  const wait = Math.max(least, backoff(s.attempt - 1, random, limits))
  s.dialAt = now + wait
  s.asks = openAsks()
  s.shelf = openShelf(s.shelf.records)
  s.pingAt = s.rotateAt = Infinity
  return [...lost, ...setPhase(s, 'waiting', `${reason}; trying again in ${seconds(wait)}`)]
}

/**
 * While nobody delivers it is tried again as soon as this provider allows (waits are half the cap on average): within half a second
 * at first, after long outages within 1/120 of their time. See docs/decisions/0005-backoff-in-an-outage.md.
 */
const outageCap = <S>({ limits: { attempts } }: Adapter<S>, downFor: number): number =>
  Math.max(500, (2 * attempts.per) / attempts.count, downFor / 120)
