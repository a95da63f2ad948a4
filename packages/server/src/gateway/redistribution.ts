/**
 * Who may be given what its source does not let pass on: the operator, and those of his users whom he names as his own. It is
 * decided where a topic is asked for, never per event: a stream that such a source may lead is theirs alone.
 */
import { ACCOUNT_KINDS, isTopicError, isWhole, nameOf, parseTopic, type Kind, type Topic } from '@tickwire/protocol'
import type { Desk } from '../dialects/dialect.ts'
import type { Identity } from './auth.ts'
import { RequestError } from './errors.ts'
import type { ProviderInfo, RestOptions } from './rest.ts'
import { refusal, type Understand } from './understand.ts'
import type { Visitors } from './visitors.ts'

/** `owner`: users to whom it may be given; `allow`: providers with whom another agreement stands, `*` for all. */
export type RedistributionTerms = { owner: readonly string[]; allow: readonly string[] }
export type IsOwner = () => boolean
export type Redistribution = ReturnType<typeof createRedistribution>

/** They tell nothing of prices of one source. */
const FREE: ReadonlySet<Kind> = new Set(['provider', 'status', 'gap', 'breadth'])
const isAccount = (kind: Kind): boolean => (ACCOUNT_KINDS as readonly Kind[]).includes(kind)

const deny = (message: string): never => {
  throw new RequestError('FORBIDDEN', message)
}

type Pasts = NonNullable<RestOptions['sources']['history']>
const pastOf = ({ trades, candles }: Pasts, admit: (topic: Topic) => void): Pasts => ({
  async trades(asked) {
    admit({ kind: 'trade', instrument: asked.instrument })
    return trades(asked)
  },
  async candles(asked) {
    admit({ kind: 'candle', instrument: asked.instrument, interval: asked.interval })
    return candles(asked)
  }
})

export type RedistributionOptions = {
  terms: RedistributionTerms
  desk: Desk
  providers: () => readonly ProviderInfo[]
  /** Only this machine reaches the gateway, and no token is asked for: whoever is there is the operator. */
  isLocal: () => boolean
}

export function createRedistribution({ terms, desk, providers, isLocal }: RedistributionOptions) {
  const owners = new Set(terms.owner)
  const isForbidden = ({ provider, about }: ProviderInfo): boolean =>
    about?.redistribution === 'forbidden' && !terms.allow.includes('*') && !terms.allow.includes(provider)
  let known: ReadonlyMap<string, ProviderInfo> | undefined
  const forbidden = () =>
    (known ??= new Map(
      providers()
        .filter(isForbidden)
        .map((each) => [each.provider, each])
    ))

  /** A list that is not loaded yet may hold it. */
  const mayCarry = (name: string, instrument: string): boolean =>
    desk.unlisted().includes(name) || desk.instrument(instrument)?.providers.some(({ provider }) => provider === name) === true

  /** Those of whom a topic may tell, and who forbid it. */
  const behind = ({ kind, provider, instrument }: Topic): string[] => {
    if (FREE.has(kind)) return []
    const all = [...forbidden().values()]
    const named = provider === undefined ? all : all.filter((each) => each.provider === provider)
    if (provider !== undefined) return named.map((each) => each.provider)
    const found = isWhole(kind)
      ? named.filter((each) => each.kinds?.includes(kind))
      : named.filter((each) => mayCarry(each.provider, instrument))
    return found.map((each) => each.provider)
  }

  /** Why it may not be passed on, and what of it may; nothing where it may. */
  const why = (topic: Topic): { message: string; nearest: string[] } | undefined => {
    if (isAccount(topic.kind)) return { message: 'accounts are told to the owner of the server alone', nearest: [] }
    const sources = behind(topic)
    if (sources.length === 0) return undefined
    const carriers = desk.instrument(topic.instrument)?.providers.map(({ provider }) => provider) ?? []
    const free = isWhole(topic.kind) ? [] : carriers.filter((provider) => !forbidden().has(provider))
    const message = `${sources.join(', ')} forbids redistribution: it goes to the owner's users only (redistribution.owner)`
    return { message, nearest: free.map((provider) => nameOf({ ...topic, provider })) }
  }
  const whyNamed = (name: string): string | undefined => {
    const topic = parseTopic(name)
    return isTopicError(topic) ? undefined : why(topic)?.message
  }

  const audienceOf = ({ provider }: ProviderInfo) => (forbidden().has(provider) ? 'owner' : 'all')

  const isTheOwner = (who: Identity | undefined): boolean =>
    who === undefined ? isLocal() : who.isOperator === true || owners.has(who.user)

  /** As it is understood for whoever asks. */
  const guard =
    (understand: Understand, isOwner: IsOwner): Understand =>
    (asked) => {
      const understood = understand(asked)
      if (!understood.ok || isOwner()) return understood
      const reason = why(understood.topic)
      return reason ? refusal(asked, 'FORBIDDEN', reason.message, reason.nearest) : understood
    }

  /** The desk as whoever asks may see it. `denied` is told why what was asked for by name is not there. */
  const view = (isOwner: IsOwner, denied: (message: string) => void = () => {}): Desk => {
    const reasonFor = (name: string): string | undefined => (isOwner() ? undefined : whyNamed(name))
    const refuses = (name: string): boolean => {
      const reason = reasonFor(name)
      if (reason !== undefined) denied(reason)
      return reason !== undefined
    }
    return {
      ...desk,
      forbids: reasonFor,
      last: (name) => (reasonFor(name) === undefined ? desk.last(name) : undefined),
      recent: (name, count) => (refuses(name) ? [] : desk.recent(name, count)),
      hand: (name) => (reasonFor(name) === undefined ? desk.hand(name) : undefined),
      candles: async (instrument, interval, limit) =>
        refuses(nameOf({ kind: 'candle', instrument, interval })) ? [] : desk.candles(instrument, interval, limit),
      async past(instrument, interval, limit, patience) {
        const name = nameOf({ kind: 'candle', instrument, interval })
        const reason = reasonFor(name)
        if (reason === undefined) return desk.past(instrument, interval, limit, patience)
        denied(reason)
        return { candles: [], why: reason }
      }
    }
  }

  return {
    isOwner: isTheOwner,
    guard,
    view,
    /** Why one of these may not be passed on now. */
    denies: (names: Iterable<string>): string | undefined => [...names].map(whyNamed).find((reason) => reason !== undefined),

    /** What REST answers from, as whoever asks at the moment may see it. */
    rest(options: RestOptions, visitors: Visitors): RestOptions {
      const { understand, sources, reader } = options
      const isOwner = () => {
        const visitor = visitors.now()
        return visitor !== undefined && isTheOwner(visitor.who)
      }
      const admit = (topic: Topic): void => {
        const reason = isOwner() ? undefined : why(topic)
        if (reason) throw new RequestError('FORBIDDEN', reason.message, reason.nearest)
      }
      return {
        desk: view(isOwner, deny),
        understand: guard(understand, isOwner),
        reader: {
          ...reader,
          async last(name) {
            const reason = isOwner() ? undefined : whyNamed(name)
            return reason === undefined ? reader.last(name) : deny(reason)
          }
        },
        sources: {
          ...sources,
          providers: () => sources.providers().map((each) => ({ ...each, audience: audienceOf(each) })),
          arbitration(instrument) {
            admit({ kind: 'arbitration', instrument })
            return sources.arbitration(instrument)
          },
          async candles(instrument, interval, limit) {
            admit({ kind: 'candle', instrument, interval })
            return sources.candles(instrument, interval, limit)
          },
          ...(sources.history && { history: pastOf(sources.history, admit) })
        }
      }
    }
  }
}
