/** What the server lists: instruments, and providers with what is always true of them. */
import type { ProviderStatus } from '@tickwire/client'

/** An instrument of the listing. */
export type Instrument = {
  instrument: string
  base: string
  quote?: string
  name?: string
  priceDecimals?: number
  sizeDecimals?: number
  providers: { provider: string; symbol: string; trading: boolean }[]
}

/** A provider's status at the time of asking, and what is always true of it. */
export type ProviderAbout = ProviderStatus & {
  title?: string
  /** The feed of it that the operator chose. */
  feed?: string
  about?: { docs: string; coverage: string; redistribution: 'allowed' | 'forbidden' | 'restricted'; cost: string }
  /** What it carries, and what must be configured for it. */
  kinds?: readonly string[]
  needs?: readonly string[]
  limits?: { subscriptionsPerConnection: number; connections: number | null; requestsPerSecond: number }
}
