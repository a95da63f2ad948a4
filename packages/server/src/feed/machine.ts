/** The life of ONE connection to a provider as a pure step: (state, input) → effects. No socket, no timer, no clock. */
import type { ProviderPhase } from '@tickwire/protocol'
import type { Access, Adapter, Subscription } from '../providers/adapter.ts'
import { ask, forget, keyOf, openAsks, overdue } from './asks.ts'
import { SETTINGS, type Effect, type Input, type Settings, type State } from './connection.ts'
import { openPace, takeDue } from './pace.ts'
import { openShelf, understand } from './understand.ts'

export function start<S>(
  adapter: Adapter<S>,
  wanted: readonly Subscription[],
  now: number,
  access: Access = {},
  settings: Settings = SETTINGS
): State<S> {
  return {
    phase: 'idle',
    access,
    settings,
    session: adapter.open(access),
    wanted: new Map(wanted.map((s) => [keyOf(s), s])),
    unsettled: true,
    asks: openAsks(),
    shelf: openShelf(),
    pace: openPace(adapter.limits.framesPerSecond),
    attempt: 0,
    dialAt: now,
    heard: now,
    pingAt: Infinity,
    rotateAt: Infinity
  }
}

/** Full jitter, so that a provider's restart does not meet every client at the same instant. */
export const backoff = (attempt: number, random: () => number, { base, cap } = SETTINGS.backoff): number =>
  random() * Math.min(cap, base * 2 ** Math.min(attempt, 30))

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
      return isOpen(s) ? send(adapter, s, understand(adapter, s, input.body, input.now, input.need), input.now) : []
    case 'failed':
      return failed(s, input)
    case 'closed':
      return closed(s, input, random)
    default:
      s.wanted = new Map(input.wanted.map((w) => [keyOf(w), w]))
      s.unsettled = true
      return settleUp(adapter, s, [], input.now)
  }
}

const isOpen = (s: { phase: ProviderPhase }): boolean => s.phase === 'live' || s.phase === 'stale'
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

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
  if (silent > adapter.staleAfter) return [{ type: 'hangup', reason: `nothing heard for ${seconds(silent)}` }]
  const effects: Effect[] = []
  if (s.phase === 'live' && silent > adapter.staleAfter / 2)
    effects.push(...setPhase(s, 'stale', `nothing heard for ${seconds(silent)}; hanging up at ${seconds(adapter.staleAfter)}`))
  if (adapter.ping && now >= s.pingAt) {
    s.pingAt = now + adapter.ping.every
    s.pace.urgent.push(adapter.ping.frame)
  }
  if (now >= s.rotateAt) {
    s.rotateAt = Infinity
    effects.push({ type: 'rotate', reason: `this connection nears its lifetime of ${seconds(adapter.lifetime ?? 0)}` })
  }
  return settleUp(adapter, s, effects, now)
}

function opened<S>(adapter: Adapter<S>, s: State<S>, now: number, random: () => number): Effect[] {
  s.session = adapter.open(s.access)
  s.asks = openAsks()
  s.unsettled = true
  s.shelf = openShelf()
  s.pace = openPace(adapter.limits.framesPerSecond)
  s.heard = now
  s.pingAt = now + (adapter.ping?.every ?? Infinity)
  // Between 80 and 90 % of the lifetime, so that connections opened together do not rotate together.
  s.rotateAt = now + (adapter.lifetime === undefined ? Infinity : adapter.lifetime * (0.8 + 0.1 * random()))
  const effects = setPhase(s, 'live', 'connected')
  if (adapter.greet) s.pace.urgent.push(...adapter.greet(s.session))
  return settleUp(adapter, s, effects, now)
}

function frame<S>(adapter: Adapter<S>, s: State<S>, text: string, now: number): Effect[] {
  if (!isOpen(s)) return []
  s.heard = now
  const effects = s.phase === 'stale' ? setPhase(s, 'live', 'speaks again') : []
  const understood = understand(adapter, s, text, now)
  return send(adapter, s, effects.length === 0 ? understood : effects.concat(understood), now)
}

function failed<S>(s: State<S>, { need, reason, now }: Extract<Input, { type: 'failed' }>): Effect[] {
  if (isOpen(s) && need.purpose === 'book' && need.symbol !== undefined) s.shelf.resyncs.set(need.symbol, now + 1_000)
  return [{ type: 'refused', reason: `REST ${need.purpose}: ${reason}` }]
}

function closed<S>(s: State<S>, input: Extract<Input, { type: 'closed' }>, random: () => number): Effect[] {
  const wait = Math.max(input.wait ?? 0, backoff(s.attempt++, random, s.settings.backoff))
  s.dialAt = input.now + wait
  s.asks = openAsks()
  s.shelf = openShelf()
  s.pingAt = s.rotateAt = Infinity
  return setPhase(s, 'waiting', `${input.reason}; trying again in ${seconds(wait)}`)
}

/** Asks for what is wanted and was not asked, or asked in vain. */
function settleUp<S>(adapter: Adapter<S>, s: State<S>, effects: Effect[], now: number): Effect[] {
  if (!isOpen(s)) return effects
  // Differences are taken only once the queue has drained, so it never holds more than one round of frames.
  if (s.pace.queue.length === 0) {
    if (s.unsettled) reconcile(adapter, s, now)
    const { again, unanswered } = overdue(s.asks, now, s.settings.patience)
    if (again.length > 0) s.pace.queue.push(...adapter.subscribe(again, s.session))
    for (const subscription of unanswered) effects.push({ type: 'unanswered', subscription })
  }
  return send(adapter, s, effects, now)
}

/** Adds the frames that are due, no faster than the provider allows. */
function send<S>(adapter: Adapter<S>, s: State<S>, effects: Effect[], now: number): Effect[] {
  if (!isOpen(s)) return effects
  if (s.shelf.resyncs.size > 0 && s.pace.queue.length === 0) resync(adapter, s, now)
  for (const due of takeDue(s.pace, now)) effects.push({ type: 'send', frame: due })
  return effects
}

function reconcile<S>(adapter: Adapter<S>, s: State<S>, now: number): void {
  s.unsettled = false
  const { all } = s.asks
  const removed = [...all.values()].filter((a) => !s.wanted.has(keyOf(a.subscription))).map((a) => a.subscription)
  const added = [...s.wanted.values()].filter((w) => !all.has(keyOf(w)))
  for (const gone of removed) {
    forget(s.asks, gone)
    if (gone.kind === 'book') s.shelf.books.delete(gone.symbol)
  }
  for (const fresh of added) ask(s.asks, fresh, now)
  if (removed.length > 0) s.pace.queue.push(...adapter.unsubscribe(removed, s.session))
  if (added.length > 0) s.pace.queue.push(...adapter.subscribe(added, s.session))
}

/** One damaged book is asked for anew; all other subscriptions of the connection go on undisturbed. */
function resync<S>(adapter: Adapter<S>, s: State<S>, now: number): void {
  for (const [symbol, due] of s.shelf.resyncs) {
    if (now < due) continue
    s.shelf.resyncs.delete(symbol)
    const damaged = [...s.asks.all.values()].map((a) => a.subscription).filter((x) => x.kind === 'book' && x.symbol === symbol)
    if (damaged.length === 0) continue
    s.pace.queue.push(...adapter.unsubscribe(damaged, s.session), ...adapter.subscribe(damaged, s.session))
    for (const subscription of damaged) ask(s.asks, subscription, now)
  }
}
