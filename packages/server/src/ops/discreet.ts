/** A provider's refusal may repeat our key, and an address may hold it: both are taken out before anybody is told why. */
import type { ProviderStatus } from '@tickwire/protocol'
import type { PoolHooks } from '../connection/shop.ts'
import type { Access } from '../providers/adapter.ts'
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
      onUnfilled: (span, reason, now) => hooks.onUnfilled(span, censor(reason), now),
      onClosed: (carried, reason, now) => hooks.onClosed(carried, censor(reason), now),
      onRejected: (reason, subscription) => hooks.onRejected(censor(reason), subscription)
    } as PoolHooks,
    status: (status: ProviderStatus): ProviderStatus => ({
      ...status,
      reason: censor(status.reason),
      refused: Object.fromEntries(Object.entries(status.refused).map(([reason, count]) => [censor(reason), count]))
    })
  }
}
