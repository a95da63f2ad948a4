/** A provider's refusal may repeat our key, and an address may hold it: both are taken out before anybody is told why. */
import type { ProviderStatus } from '@tickwire/protocol'
import type { Span } from '../connection/holes.ts'
import type { Rest } from '../connection/rest.ts'
import type { PoolHooks } from '../connection/shop.ts'
import type { Access, Subscription } from '../providers/adapter.ts'
import { createSecrets } from './secrets.ts'

/** The same, without what they know to be secret. */
export function discreet(readAccess: () => Access, hooks: PoolHooks) {
  const { add, censor } = createSecrets()
  return {
    readAccess(): Access {
      const access = readAccess()
      add([access.key, access.secret])
      return access
    },
    hooks: {
      ...hooks,
      onUnfilled: (span: Span, reason: string, now: number) => hooks.onUnfilled(span, censor(reason), now),
      onClosed: (carried: readonly Subscription[], reason: string, now: number) => hooks.onClosed(carried, censor(reason), now),
      onRejected: (reason: string, subscription: Subscription | undefined) => hooks.onRejected(censor(reason), subscription)
    },
    rest: (rest: Rest): Rest => ({
      ...rest,
      async get(call) {
        const answer = await rest.get(call)
        return answer.ok ? answer : { ...answer, reason: censor(answer.reason) }
      }
    }),
    status: (status: ProviderStatus): ProviderStatus => ({
      ...status,
      reason: censor(status.reason),
      refused: Object.fromEntries(Object.entries(status.refused).map(([reason, count]) => [censor(reason), count]))
    })
  }
}
