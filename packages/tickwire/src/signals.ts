/** How the program ends: in order on the first SIGTERM or SIGINT, at once on the second, with a line in the log on a defect. */
import { constants } from 'node:os'
import type { Log } from '@tickwire/server/ops/log.ts'

/** Clients have 5 s, the rest is for the providers' connections; a supervisor waits 10 s before it kills. */
const WITHIN = 9_000

/** Listens from now on, while the rooms open as well: nobody else would, where we are the first process of a container. */
export function onSignals(log: Log): { stop: () => Promise<unknown> } {
  const running = { stop: (): Promise<unknown> => Promise.resolve() }
  let asked = false

  const end = async (signal: 'SIGTERM' | 'SIGINT'): Promise<void> => {
    if (asked) process.exit(128 + constants.signals[signal])
    asked = true
    log.info({ signal }, 'stopping')
    const overdue = setTimeout(() => {
      log.warn({ ms: WITHIN }, 'stopped before everything was closed')
      process.exit(0)
    }, WITHIN)
    await running.stop().catch((error: unknown) => log.error({ err: error }, 'defect while stopping'))
    clearTimeout(overdue)
    process.exit(0)
  }
  process.on('SIGTERM', end).on('SIGINT', end)

  // What nobody caught goes the way of every other line: without secrets.
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'defect: the program ends')
    process.exit(1)
  })
  return running
}

/** Who ends what is being written in the middle finds nothing of it beside the name. Returns what stops listening. */
export function onInterrupt(abandon: () => Promise<void>): () => void {
  const end = (signal: NodeJS.Signals): void => void abandon().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  return () => {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}
