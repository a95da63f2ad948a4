/** What the numbers of TWS's messages mean: most of them are news of its servers, and only some end a request. */
import type { Meaning } from './adapter.ts'
import { reset } from './interactive-brokers.depth.ts'
import { begin, carried, drop, end, renew, replies } from './interactive-brokers.session.ts'
import type { Asked, Session, Way } from './interactive-brokers.state.ts'
import * as values from './values.ts'

/** Ticks and books come from a data farm, bars from a historical one, contracts from a third. */
const FARMS: Readonly<Record<number, { ways: ReadonlySet<Way>; mends: number }>> = {
  2103: { ways: new Set<Way>(['lines', 'ticks', 'prints', 'quotes', 'depth', 'live bars']), mends: 2104 },
  2105: { ways: new Set<Way>(['bars']), mends: 2106 },
  2157: { ways: new Set<Way>(['details']), mends: 2158 }
}
/** Data flows on, late or in part: 10167 and the like, and what was asked for a request that is gone. */
const ADVISORIES = new Set([10_089, 10_090, 10_167, 10_168, 366, 399])
const CONNECTION = new Set([326, 502, 503, 504, 506, 507, 508, 509, 1300])
const COMPETING = 10_197
/** The user sees to it that he is logged in at one place alone: no need to hurry. */
const COMPETING_WAIT = 60_000

export function failed(message: unknown, code: number, id: unknown, received: number, session: Session): readonly Meaning[] {
  const reason = `${values.say(message)} (${code})`
  if (CONNECTION.has(code)) return [{ type: 'hangup', reason }]
  if (code === COMPETING) return [{ type: 'hangup', reason, wait: COMPETING_WAIT }]
  const asked = session.asked.get(id as number)
  return asked ? refused(asked, code, reason, received, session) : told(message, code, reason, id, session)
}

/** Of the system: `{"event":"info","args":["Market data farm connection is broken:usfarm",2103]}` */
function told(message: unknown, code: number, reason: string, id: unknown, session: Session): readonly Meaning[] {
  switch (code) {
    // TWS has no servers: 1101 or 1102 will say what became of the requests.
    case 1100:
    case 2110:
      return [{ type: 'reject', reason }]
    case 1101:
      session.broken.clear()
      return renew(session, undefined, false)
    case 1102:
      session.broken.clear()
      return []
    case 2103:
    case 2105:
    case 2157:
      session.broken.add(farmOf(message, code))
      return [{ type: 'reject', reason }]
    case 2104:
    case 2106:
    case 2158:
      return mended(message, code, session)
    default:
      // Of a request that we have given up, or a warning.
      return isWarning(message, code) || (typeof id === 'number' && id > 0) || code === 300 ? [] : [{ type: 'reject', reason }]
  }
}

const farmOf = (message: unknown, code: number): string => `${code} ${values.say(message).split(':').at(-1)?.trim()}`

/** A farm that was broken has forgotten who listened, and does not say so. */
function mended(message: unknown, code: number, session: Session): readonly Meaning[] {
  const [broke, farm] = Object.entries(FARMS).find(([, { mends }]) => mends === code) ?? []
  if (broke === undefined || !farm || !session.broken.delete(farmOf(message, Number(broke)))) return []
  return renew(session, farm.ways, true)
}

const isWarning = (message: unknown, code: number): boolean =>
  (code >= 2_100 && code < 3_000) || ADVISORIES.has(code) || values.say(message).includes('Warning:')

function refused(asked: Asked, code: number, reason: string, received: number, session: Session): readonly Meaning[] {
  if (isWarning(reason, code)) {
    const line = session.lines.get(asked.id)
    if (line && code === 10_167) line.delayed = true
    return []
  }
  switch (code) {
    case 317:
      return reset(asked, received, session)
    // The id is in use, or TWS no longer knows it: the same under another one. Twice in a row it is hopeless.
    case 300:
    case 322: {
      if (asked.retried) break
      drop(session, asked)
      const calls = asked.way === 'details' ? [] : begin(session, asked.channel, asked.symbol)
      const again = session.asked.get(session.nextId - 1)
      if (again && calls.length > 0) again.retried = true
      return replies(calls)
    }
    // No more requests tick by tick: what is traded comes aggregated then.
    case 10_190:
      if (asked.way !== 'ticks' || session.contracts.get(asked.symbol)?.contract.secType === 'CASH') break
      session.untickable.add(asked.symbol)
      drop(session, asked)
      return replies(begin(session, asked.channel, asked.symbol))
    // A query that we cancelled ourselves ends so.
    case 162:
      if (reason.includes('cancelled')) return []
      break
    // Halted depth must be asked for again, which the machine does for a gap.
    case 316:
      end(session, asked)
      return [{ type: 'gap', kind: 'book', symbol: asked.symbol, cause: 'sequence' }]
    // Sent too fast: it was not refused for what it is.
    case 100:
      drop(session, asked)
      return [{ type: 'reject', reason }]
    default:
  }
  return rejected(asked, reason, session)
}

export function rejected(asked: Asked, reason: string, session: Session): readonly Meaning[] {
  const named = carried(session, asked)
  drop(session, asked)
  return named.length === 0 ? [{ type: 'reject', reason }] : named.map((one) => ({ type: 'reject', ...one, reason }))
}
