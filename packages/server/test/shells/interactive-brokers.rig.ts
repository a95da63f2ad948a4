/** What both suites of the shell need: TWS on loopback, and what is to be stopped after each test. */
import { vi } from 'vitest'
import type { Access } from '../../src/providers/adapter.ts'
import { openInteractiveBrokers } from '../../src/shells/interactive-brokers.ts'
import { openTws, ready, type Answerer, type Tws } from './tws.ts'

export const open: { stop: () => unknown }[] = []
export async function stopAll(): Promise<void> {
  for (const one of open.splice(0)) await one.stop()
}
export async function tws(answer: Answerer, greet = ready): Promise<Tws> {
  const server = await openTws(answer, greet)
  open.push(server)
  return server
}
export const at = (port: number, clientId = 0) => `ib://127.0.0.1:${port}?clientId=${clientId}`
export const shellAt = (wsUrl: string, access: Access = {}) => openInteractiveBrokers({ wsUrl, readAccess: () => access })

export const until = <T>(what: () => T) => vi.waitFor(what, { timeout: 30_000, interval: 5 })
