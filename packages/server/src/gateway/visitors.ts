/** Who asks over HTTP, for whatever answers it: a route asks the desk as it always does, and the desk knows for whom. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Identity } from './auth.ts'

export type Visitor = { address: string; who: Identity | undefined }
export type Visitors = ReturnType<typeof createVisitors>

export function createVisitors() {
  const current = new AsyncLocalStorage<Visitor>()
  return {
    /** Absent outside of a request. */
    now: (): Visitor | undefined => current.getStore(),
    run: (visitor: Visitor, act: () => void): void => current.run(visitor, act)
  }
}
