/** One provider tried as the server would use it: connected, asked for one topic, and judged by what comes. */
import { ARBITRATED_KINDS, isWhole, topicName, type DataKind, type ProviderStatus, type Topic } from '@tickwire/protocol'
import type { Source } from '@tickwire/server/sources.ts'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments, type Instruments } from '@tickwire/server/feed/instruments.ts'
import { createRest, type Answer, type Rest } from '@tickwire/server/connection/rest.ts'
import { keepFor } from '@tickwire/server/plant/keep.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'

export type Outcome = {
  ok: boolean
  finding: string
  /** Which of the watched instruments it has; absent where its listing did not come. */
  has?: string[]
  /** For those that it does not have. */
  nearest?: Record<string, readonly string[]>
}

const DAY = 86_400_000
const nothing = () => {}

export async function probe(source: Source, watch: readonly string[], patience: number): Promise<Outcome> {
  const spy = spyOn(source)
  const { promise: deadline, resolve: giveUp } = Promise.withResolvers<undefined>()
  const timer = setTimeout(giveUp, patience, undefined)
  const outcome = await tryOut({ ...source, ...spy.parts }, watch, { patience, deadline, spy }).finally(() => clearTimeout(timer))
  return { ...outcome, finding: `${plain(outcome.finding, source)}${spentOf(source, spy.calls())}` }
}

type Trial = { patience: number; deadline: Promise<undefined>; spy: Spy }

async function tryOut(source: Source, watch: readonly string[], { patience, deadline, spy }: Trial): Promise<Outcome> {
  const { provider, listing } = source.adapter
  const plant = createPlant({ epoch: 'doctor', keep: keepFor(10) })
  const instruments = createInstruments()
  const clock = Date.now
  const began = clock()
  const rejected: string[] = []
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>()
  /** Why it was not connected when it last was not being dialled. */
  let trouble: string | undefined
  const note = (fields: { phase?: string; reason?: string }, what: string): void => {
    if (fields.reason !== undefined && what === 'provider rejected') rejected.push(fields.reason)
    if (what === 'provider phase' && fields.phase !== 'connecting') trouble = fields.reason
    if (what === 'listing failed') hear()
  }
  const log = { debug: nothing, info: note, warn: note, error: nothing }
  const providers = [source]
  const feed = createFeed({ providers, plant, instruments, clock, random: Math.random, log, simulated: false, onListing: hear })
  try {
    await Promise.race([feed.start(), deadline])
    if (listing !== undefined) await Promise.race([heard, deadline])
    const [status] = feed.providers()
    if (feed.unlisted().length > 0) return { ok: false, finding: unlistedFinding(status!, patience) }
    const known = lookUp(provider, instruments, watch)
    const topic = topicFor(source, instruments, known.has)
    if (!topic) return { ok: false, finding: 'none of your instruments is one of its own', ...known }
    const first = new Promise<true>((resolve) =>
      plant.subscribe(topicName(topic.kind, topic.instrument, provider), () => resolve(true))
    )
    feed.want(topic)
    const came = await Promise.race([first, deadline])
    const seconds = ((clock() - began) / 1_000).toFixed(1)
    const now = feed.providers()[0]!
    const last = now.phase === 'connecting' ? { ...now, reason: trouble ?? now.reason } : now
    if (!came) return { ...silentFinding(last, topic, [...rejected, ...spy.failures()], patience), ...known }
    await Promise.race([spy.settled(), deadline])
    const [failure] = spy.failures()
    const finding = `first ${said(topic)} after ${seconds} s${strangerTo(topic, known.has, watch) ? ' (it has none that you watch)' : ''}`
    return { ok: failure === undefined, finding: failure === undefined ? finding : `${finding}, but ${failure}`, ...known }
  } finally {
    await feed.stop()
  }
}

const said = ({ kind, instrument }: Topic): string => (isWhole(kind) ? kind : `${kind} of ${instrument}`)
const strangerTo = ({ kind }: Topic, has: readonly string[], watch: readonly string[]): boolean =>
  !isWhole(kind) && has.length === 0 && watch.length > 0

const unlistedFinding = ({ phase, reason }: ProviderStatus, patience: number): string =>
  phase === 'idle' ? `no answer within ${patience / 1_000} s to the question for its instruments` : reason

/** Connected and silent may be a closed market; anything else is a fault. */
function silentFinding(status: ProviderStatus, topic: Topic, told: readonly string[], patience: number): Outcome {
  const { phase, reason, market, refused } = status
  const why = [...new Set([...told, ...(told.length > 0 ? [] : Object.keys(refused))])].join(', ')
  if (phase === 'live' && why === '' && market !== undefined && market !== 'regular')
    return { ok: true, finding: `connected; its market is ${market}, so no ${said(topic)} came` }
  if (phase !== 'live') return { ok: false, finding: reason }
  return {
    ok: false,
    finding: `connected, but no ${said(topic)} came within ${patience / 1_000} s${why === '' ? '' : `: ${why}`}`
  }
}

/** What of `watch` it has, by its listing or the grammar of its symbols. */
function lookUp(
  provider: string,
  instruments: Instruments,
  watch: readonly string[]
): Required<Pick<Outcome, 'has' | 'nearest'>> {
  const named = watch.filter((text) => text !== '*')
  const found = named.map((text) => ({ text, found: instruments.resolve(text) }))
  const has = found.flatMap(({ text, found: one }) =>
    one.ok && instruments.symbolOf(provider, one.instrument) !== undefined ? [text] : []
  )
  return { has, nearest: Object.fromEntries(found.map(({ text, found: one }) => [text, one.ok ? [] : one.nearest])) }
}

/** What is asked first: the quickest kind it has, of an instrument that you watch, else of any that it trades. */
function topicFor({ adapter }: Source, instruments: Instruments, has: readonly string[]): Topic | undefined {
  const { provider, kinds } = adapter
  const order: DataKind[] = ['quote', ...ARBITRATED_KINDS, 'index', 'mark', 'news']
  const kind = order.find((one) => kinds.includes(one))
  if (kind === undefined) return undefined
  if (isWhole(kind)) return { kind, instrument: 'all', provider }
  const listed = instruments.all().filter(({ providers }) => providers.some((one) => one.provider === provider && one.trading))
  const own = has.flatMap((text) => {
    const found = instruments.resolve(text)
    return found.ok ? [found.instrument] : []
  })
  const candidates = [...own, 'AAPL', 'EUR-USD', 'NSE:SBIN-EQ', ...listed.map((info) => info.instrument)]
  const instrument = candidates.find((text) => instruments.symbolOf(provider, text) !== undefined)
  return instrument === undefined ? undefined : { kind, instrument, provider }
}

// ---- what the calls cost and say -----------------------------------------------------------------------------------

type Spy = { parts: { rest?: Rest }; calls: () => number; failures: () => string[]; settled: () => Promise<unknown> }

/** Each call once, and none again that failed: a doctor that goes on asking spends a budget that may be of few calls a day. */
function spyOn({ adapter, restUrl, readAccess, rest: shell }: Source): Spy {
  if (shell) return { parts: {}, calls: () => 0, failures: () => [], settled: () => Promise.resolve() }
  const { requestsPerSecond } = adapter.limits
  const headers = () => adapter.headers?.(readAccess()) ?? {}
  const rest = createRest({ restUrl, requestsPerSecond, headers, clock: Date.now, random: Math.random, tries: 1 })
  const running = new Set<Promise<unknown>>()
  const failed = new Map<string, { said: string; answer: Answer }>()
  let calls = 0
  const get: Rest['get'] = (call) => {
    const before = failed.get(call.path)
    if (before) return Promise.resolve(before.answer)
    calls++
    const asked = rest.get(call).then((answer) => {
      running.delete(asked)
      // What the adapter reads although it is a refusal (tolerate) is a failure all the same.
      const reason = answer.ok ? (answer.status >= 400 ? `HTTP ${answer.status}` : undefined) : answer.reason
      if (reason !== undefined && reason !== 'stopped')
        failed.set(call.path, { said: `${addressOf(call.path, restUrl)}: ${reason}`, answer })
      return answer
    })
    running.add(asked)
    return asked
  }
  const failures = () => [...failed.values()].map(({ said: text }) => text)
  return { parts: { rest: { ...rest, get } }, calls: () => calls, failures, settled: () => Promise.all(running) }
}

/** Without its query, where keys stand. */
export function addressOf(path: string, restUrl = ''): string {
  const full = path.startsWith('/') ? restUrl.replace(/\/$/, '') + path : path
  return full.replace(/[?#].*$/, '').replace(/\/\/[^/@]*@/, '//')
}

/** What one look cost where a day has few calls. */
function spentOf({ adapter: { limits } }: Source, calls: number): string {
  const day = (limits.requests ?? []).find(({ count, per }) => per >= DAY && count <= 1_000)
  return day === undefined || calls === 0 ? '' : ` (this look took ${calls} of its ${day.count} calls a day)`
}

/** On one line, without what the doctor does not do (asking again), and without a secret that an answer repeats. */
function plain(finding: string, { readAccess }: Source): string {
  const { key, secret } = readAccess()
  const line = finding
    .replace(/; (it is asked again|trying again in [\d.]+ s)/, '')
    .replace(/[0-9A-F]{8,}:error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):\S*/, '$1: $2')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return [key, secret].reduce<string>((text, hidden) => (hidden ? text.replaceAll(hidden, '(key)') : text), line)
}
