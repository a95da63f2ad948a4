/** A book of tokens for the tests that says who it is when it is told to: what comes meanwhile comes while a token is looked at. */
import { expect } from 'vitest'
import type { Identity, Verifier } from '../../src/gateway/auth.ts'

export const ANN: Identity = { user: 'ann', scopes: new Set(['read']), key: 'first' }
export const SLOWLY = { timeout: 60_000 }

export function createGate() {
  const asked: { token: string; answer: (who?: Identity) => void }[] = []
  const revoked = new Set<string>()
  const book: Verifier = {
    isUsed: () => true,
    check: (token) => new Promise((resolve) => void asked.push({ token, answer: resolve })),
    isRevoked: ({ key = '' }) => revoked.has(key)
  }
  return {
    auth: { verifiers: [book], wrongTokens: 1_000 },
    revoked,
    /** The nth token, once it is looked at. */
    async asked(nth = 0) {
      await expect.poll(() => asked.length, SLOWLY).toBeGreaterThan(nth)
      const found = asked[nth]
      if (!found) throw new Error(`nobody asked ${nth + 1} times`)
      return found
    },
    count: () => asked.length
  }
}
