/** Everything that decides who comes in and what he may have, made once for WebSocket, SSE and REST. */
import type { Desk } from '../dialects/dialect.ts'
import { createAddressOf } from './address.ts'
import { createAdmission, isLoopback } from './admission.ts'
import { createAuth, type Verifier } from './auth.ts'
import { ALLOWANCES, createQuotas, type Allowances } from './quotas.ts'
import { createRedistribution, type RedistributionTerms } from './redistribution.ts'
import type { RestSources } from './rest.ts'
import { createVisitors } from './visitors.ts'

export type EntryOptions = {
  /** SHA-256 of the operator's own tokens, in hex, and other books of tokens. Without any the gateway is open. */
  auth?: { keys?: readonly string[]; verifiers?: readonly Verifier[]; wrongTokens?: number }
  /** Origins of foreign pages that may connect, or `*`. */
  origins?: readonly string[]
  /** Addresses and networks of proxies whose X-Forwarded-For counts. */
  proxies?: readonly string[]
  allowances?: { [K in keyof Allowances]?: Partial<Allowances[K]> }
  /** Who may be given what its source does not let pass on; absent: everybody. */
  redistribution?: RedistributionTerms | undefined
}

const allowancesOf = ({ perAddress, perUser }: EntryOptions['allowances'] = {}): Allowances => ({
  perAddress: { ...ALLOWANCES.perAddress, ...perAddress },
  perUser: { ...ALLOWANCES.perUser, ...perUser }
})

export function createEntry(options: EntryOptions, desk: Desk, sources: RestSources, clock: () => number) {
  const { redistribution: terms, origins = [], proxies = [] } = options
  const auth = createAuth(options.auth?.keys, options.auth?.verifiers, options.auth?.wrongTokens)
  const admission = createAdmission(origins, !auth.required)
  // By a proxy, or under a name of elsewhere, others come in on loopback too.
  const isPrivate = proxies.length === 0 && origins.every((origin) => isLoopback(URL.parse(origin)?.hostname ?? ''))
  const isLocal = () => isPrivate && admission.isLocal() && !auth.required
  const redistributionOf = (of: Desk) => terms && createRedistribution({ terms, desk: of, providers: sources.providers, isLocal })
  return {
    auth,
    admission,
    addressOf: createAddressOf(proxies),
    quotas: createQuotas(allowancesOf(options.allowances), clock),
    visitors: createVisitors(),
    redistribution: redistributionOf(desk),
    redistributionOf
  }
}
