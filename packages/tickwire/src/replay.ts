/** `tickwire replay`: a recording in a process of its own, served or only reckoned up. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RecordedRun, RecordedWhat, ReplayOrder } from '@tickwire/protocol'
import type { JournalReader } from '@tickwire/server/journal/journal.ts'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { createLog } from '@tickwire/server/ops/log.ts'
import { SPEED } from '@tickwire/server/replay/registry.ts'
import { digestOf, serveReplay, type ReplayingOptions } from '@tickwire/server/replaying.ts'
import { ConfigError, secretsOf } from '@tickwire/server/settings.ts'
import { captureJournal } from './captured.ts'
import { tellHoles } from './holes.ts'
import { load, type Flags } from './options.ts'
import { createProgress } from './progress.ts'
import { captureOf, listenFault } from './serve.ts'
import { onSignals } from './signals.ts'
import { timeOf } from './time.ts'

export type ReplayFlags = Flags & {
  directory?: string
  from?: string
  to?: string
  speed?: string
  what?: RecordedWhat
  loop?: true
  capture?: string
  digest?: true
}

const page = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))
const captures = fileURLToPath(new URL('../../../captures', import.meta.url))

export async function replay(run: string | undefined, flags: ReplayFlags): Promise<void> {
  if (flags.digest && flags.loop) throw new ConfigError('--loop does not go with --digest, which plays it once')
  const { config } = load(flags)
  const { directory = config.journal.directory, capture } = flags
  const reader = capture === undefined ? openReader({ directory }) : captureJournal(captureOf(capture), captures)
  const chosen = runOf(reader, run, directory)
  const level = config.log.level === 'info' ? 'warn' : config.log.level
  const log = createLog({ level, secrets: secretsOf(config) })
  const options: ReplayingOptions = { config, reader, order: orderOf(chosen, flags), log, ...(existsSync(page) && { page }) }
  const { from, to, what = chosen.what.includes('events') ? 'events' : 'frames' } = options.order
  await tellHoles(reader, chosen, { what, ...(from !== undefined && { from }), ...(to !== undefined && { to }) })
  if (flags.digest) return reckon(options)

  const running = onSignals(log)
  const { url, stop } = await serveReplay(options).catch((error: NodeJS.ErrnoException) => {
    throw listenFault(error, config) ?? error
  })
  running.stop = stop
  console.log(
    `\n  Tickwire  ${url}\n\n  Replay: every price is of the recording ${chosen.run}, ${spanOf(chosen)}${chosen.mode === 'demo' ? ', and was simulated' : ''}.`
  )
  console.log(`  Steer it: curl -X POST ${url}/v1/replays/replay -H 'content-type: application/json' -d '{"paused": true}'`)
  console.log(`  Stop: Ctrl-C\n`)
}

/** The newest unless named. */
function runOf(reader: JournalReader, name: string | undefined, directory: string): RecordedRun {
  const runs = reader.runs()
  const sorted = runs.toSorted((a, b) => b.to - a.to)
  const newest = sorted.find(({ reason }) => reason === undefined) ?? sorted[0]
  const found = name === undefined ? newest : runs.find(({ run }) => run === name)
  if (found?.reason !== undefined) throw new ConfigError(`${found.run}: ${found.reason}`)
  if (found) return found
  if (!newest) throw new ConfigError(`nothing is recorded in ${directory}: make a recording with "tickwire record"`)
  const known = runs.slice(-10).map((each) => `  ${each.run}  ${spanOf(each)}`)
  throw new ConfigError(`there is no run ${JSON.stringify(name)} in ${directory}; the last ones are\n${known.join('\n')}`)
}

const spanOf = ({ from, to }: RecordedRun): string => `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`

function orderOf({ run }: RecordedRun, { digest, speed = digest ? 'max' : '1', what, loop, ...flags }: ReplayFlags): ReplayOrder {
  const [from, to] = [timeOf('--from', flags.from), timeOf('--to', flags.to)]
  const pace = speed === 'max' ? 0 : Number(speed)
  if (speed !== 'max' && !(pace >= SPEED.least && pace <= SPEED.most))
    throw new ConfigError(`--speed is ${JSON.stringify(speed)}: it takes a number from ${SPEED.least} to ${SPEED.most}, or max`)
  return {
    run,
    speed: pace,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(what !== undefined && { what }),
    ...(loop && { loop })
  }
}

/** To stdout the digest alone: the same for the same recording, at every speed and on every machine. */
async function reckon(options: ReplayingOptions): Promise<void> {
  const { order, reader } = options
  const { from = 0, to = 0 } = reader.runs().find(({ run }) => run === order.run) ?? {}
  const begin = order.from ?? from
  const progress = createProgress({ label: 'played', total: (order.to ?? to) - begin })
  try {
    const { digest, state } = await digestOf(options, ({ at }) => progress.set(Math.max(0, at - begin)))
    progress.clear()
    console.log(digest)
    console.error(`${state.entries} entries played, ${state.events} events published`)
  } finally {
    progress.end()
    reader.close()
  }
}
