/** Whom one session serves, and what he may be given: his desk and his topics, as redistribution lets him see them. */
import type { Desk } from '../dialects/dialect.ts'
import type { Auth } from './auth.ts'
import { createCredentials, type By, type Ending } from './credentials.ts'
import type { Redistribution } from './redistribution.ts'
import type { Understand } from './understand.ts'

export type AudienceOptions = { auth: Auth; desk: Desk; understand: Understand; redistribution?: Redistribution | undefined }

/** How often it is looked at whether he may still have what he holds: a source may begin to carry what it did not. */
const REVIEW_EVERY = 30_000

/** Who has not said who he is yet is given nothing, whatever his dialect asks its desk for. */
function closed(desk: Desk, isStranger: () => boolean): Desk {
  const open =
    <A extends unknown[], R>(ask: (...asked: A) => R, nothing: NoInfer<R>) =>
    (...asked: A): R =>
      isStranger() ? nothing : ask(...asked)
  const { server, epoch, mode, resolve, instruments, unlisted, carries, instrument } = desk
  return {
    // Of these anybody may know. What else a desk has is named one by one: nothing that it learns to tell is told by default.
    server,
    epoch,
    mode,
    resolve,
    instruments,
    unlisted,
    carries,
    instrument,
    forbids: open((topic) => desk.forbids?.(topic), undefined),
    last: open(desk.last, undefined),
    recent: open(desk.recent, []),
    hand: open(desk.hand, undefined),
    candles: open(desk.candles, Promise.resolve([])),
    past: open(desk.past, Promise.resolve({ candles: [] })),
    connections: open(desk.connections, [])
  }
}

export function createAudience({ auth, desk, understand, redistribution }: AudienceOptions, by: By, opened: number) {
  const credentials = createCredentials(auth, by)
  const isOwner = () => !credentials.isStranger() && redistribution?.isOwner(credentials.who()) !== false
  let reviewed = opened

  const review = (topics: Iterable<string>, now: number): Ending | undefined => {
    if (!redistribution || now - reviewed < REVIEW_EVERY || isOwner()) return undefined
    reviewed = now
    const reason = redistribution.denies(topics)
    // A close frame holds no more.
    return reason === undefined ? undefined : [4503, reason.slice(0, 120)]
  }

  return {
    ...credentials,
    desk: closed(redistribution?.view(isOwner) ?? desk, credentials.isStranger),
    understand: redistribution?.guard(understand, isOwner) ?? understand,
    /** Whether the token no longer holds, or one of these may no longer be given. */
    ending: (topics: Iterable<string>, now: number): Ending | undefined => credentials.ending(now) ?? review(topics, now)
  }
}
