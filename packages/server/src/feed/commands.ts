/** What a person asks of the feed: a book anew, a connection anew; each is answered once it is healed, failed or too late. */
import type { Hub } from './hub.ts'
import type { BookReport, Outcome, Pending } from '../connection/standing.ts'

/** A command is not waited for longer. */
const PATIENCE = 10_000

/** Of this instrument, or of all, of every provider that is asked for it. */
export function books(hub: Hub, instrument?: string): BookReport[] {
  const now = hub.clock()
  return [...hub.providers].flatMap(([provider, { pool }]) =>
    pool.books(now).flatMap(({ symbol, ...report }) => {
      const found = hub.instruments.instrumentOf(provider, symbol)
      return found === undefined || (instrument ?? found) !== found ? [] : [{ instrument: found, provider, ...report }]
    })
  )
}

const wait = (hub: Hub, done: Pending['done']): Promise<Outcome> =>
  new Promise((resolve) => void hub.pending.add({ done, since: hub.clock(), resolve }))

const failed = (message: string): Promise<Outcome> => Promise.resolve({ outcome: 'failed', message, after: 0 })

/** The book of one provider is thrown away and asked for anew; all else goes on. */
export function resync(hub: Hub, instrument: string, provider: string): Promise<Outcome> {
  const pool = hub.providers.get(provider)?.pool
  const symbol = hub.instruments.symbolOf(provider, instrument)
  const name = `the book of ${instrument} at ${provider}`
  if (!pool || symbol === undefined || !pool.resync(symbol)) return failed(`${name} is not asked for now`)
  return wait(hub, () => {
    const record = pool.record(symbol)
    if (record === 'gone') return { outcome: 'failed', message: `${name} is not asked for any more` }
    if (record.brokenAt !== undefined) return undefined
    return { outcome: 'healed', message: `${name} is whole again` }
  })
}

/** All connections of a provider are renewed, the new one first where the provider allows two. */
export function reconnect(hub: Hub, provider: string): Promise<Outcome> {
  const pool = hub.providers.get(provider)?.pool
  const renewed = pool?.renew('asked for') ?? 0
  if (!pool || renewed === 0) return failed(`${provider} has no open connection`)
  return wait(hub, () =>
    pool.renewing()
      ? undefined
      : { outcome: 'healed', message: `${provider} has ${renewed} new ${renewed === 1 ? 'connection' : 'connections'}` }
  )
}

/** To be called on every tick. */
export function settleDue({ pending, clock }: Hub): void {
  for (const each of pending) {
    const after = clock() - each.since
    const outcome =
      each.done() ??
      (after >= PATIENCE ? { outcome: 'timeout' as const, message: `nothing came of it in ${PATIENCE / 1_000} s` } : undefined)
    if (!outcome) continue
    pending.delete(each)
    each.resolve({ ...outcome, after })
  }
}
