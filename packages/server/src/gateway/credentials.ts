/** Whose one session is: from its handshake or its first message, for as long as that token holds. */
import type { CloseCode } from '@tickwire/protocol'
import type { Auth, Identity } from './auth.ts'
import type { Place } from './quotas.ts'

/** Whose connection it is, where that is known, and what it may have. */
export type By = { who?: Identity | undefined; place?: Place }
/** How the session is closed. */
export type Ending = readonly [code: CloseCode, reason: string]

export function createCredentials(auth: Auth, { who: first, place }: By) {
  let who = first
  return {
    isStranger: (): boolean => auth.required && who === undefined,
    who: (): Identity | undefined => who,

    /** Returns who it is now, or `wrong`, or how the session ends. */
    async signIn(token: string, clock: () => number): Promise<{ user: string } | 'wrong' | Ending> {
      if (!auth.required) return { user: 'anonymous' }
      const { who: found, wait } = await auth.try(token, place?.address ?? '', clock)
      if (wait !== undefined) return [1013, `too many wrong tokens; try again in ${wait} s`]
      if (found === undefined) return 'wrong'
      if (!found.scopes.has('read')) return [4503, 'the token lacks the scope read']
      if (place?.sign(found.user) === false) return [4529, 'too many connections of this user']
      who = found
      return { user: found.user }
    },

    /** Whether the token no longer holds. */
    ending(now: number): Ending | undefined {
      const standing = who === undefined ? 'valid' : auth.standing(who, now)
      if (standing === 'expired') return [4003, 'the token expired']
      return standing === 'revoked' ? [4501, 'the token was revoked'] : undefined
    }
  }
}
