/** How fast a provider delivers now: nothing while it does not, since its last figures would pass for current ones. */
import type { ProviderStatus } from '@tickwire/client'

export function speedOf({ phase, rate, latency }: Pick<ProviderStatus, 'phase' | 'rate' | 'latency'>) {
  return phase === 'live' ? { rate: Math.round(rate), latency } : undefined
}
