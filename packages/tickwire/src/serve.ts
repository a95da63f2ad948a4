/** `tickwire`: the server; in the demo together with the street whose prices it shows. */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mode } from '@tickwire/protocol'
import { startServer, type Server } from '@tickwire/server'
import type { Config } from '@tickwire/server/config.ts'
import { createLog, type Log } from '@tickwire/server/ops/log.ts'
import { ConfigError, secretsOf } from '@tickwire/server/settings.ts'
import { CAPTURES, createStreet, type Street } from '@tickwire/street'
import { recorded, refuseRecorded } from './busy.ts'
import { load, print, type Flags } from './options.ts'
import { onSignals } from './signals.ts'

export type ServeFlags = Flags & {
  demo?: true
  live?: true
  capture?: string
  speed: string
  printConfig?: true
  record?: string
  logFile?: string
}

const page = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))

export async function serve(flags: ServeFlags): Promise<void> {
  if (flags.printConfig) return print(flags)
  if (flags.speed !== '1' && flags.capture === undefined)
    throw new ConfigError('--speed goes with --capture: the other modes have their own pace')
  const { config: loaded, file } = load(recorded(flags))
  refuseRecorded(loaded)
  const asked = flags.capture ? 'capture' : flags.live ? 'live' : flags.demo ? 'demo' : loaded.mode
  const mode: Mode = asked ?? (file ? 'live' : 'demo')
  const { config, forget } = mode === 'demo' ? forDemo(loaded) : { config: loaded, forget: () => {} }

  const log = createLog({ level: config.log.level, secrets: secretsOf(config) })
  const running = onSignals(log)
  const street = mode === 'live' ? undefined : openStreet(config, flags, log)
  running.stop = async () => {
    await street?.stop()
    forget()
  }
  const server = await open(street, config, mode, flags, log).catch(async (error: NodeJS.ErrnoException) => {
    await street?.stop()
    forget()
    throw listenFault(error, config) ?? error
  })
  running.stop = async () => {
    await server.stop()
    await street?.stop()
    forget()
  }
  announce(server.url, mode, flags, street?.control)
}

/** Of a temporary journal no more is kept than this, nor more than half of what has room: a container's /tmp is small, and memory. */
const DEMO_MOST = 2 ** 31
const DEMO_LEAST = 2 ** 20
/** Whole segments go, and never the open one: of a few large ones a bound would not hold. */
const DEMO_SEGMENTS = 8

export function demoBounds(free: number, segment: number): { mostBytes: number; segment: number } {
  const mostBytes = Math.max(DEMO_LEAST, Math.min(DEMO_MOST, Math.floor(free / 2)))
  return { mostBytes, segment: Math.min(segment, Math.floor(mostBytes / DEMO_SEGMENTS)) }
}
const roomAt = (directory: string): number => {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** The demo has something to replay, and leaves nothing behind; unless somebody says what is to be recorded, or where. */
function forDemo(config: Config): { config: Config; forget: () => void } {
  const { record, directory } = config.journal
  if (record !== undefined || directory !== 'data/journal') return { config, forget: () => {} }
  const temporary = mkdtempSync(join(tmpdir(), 'tickwire-demo-'))
  const bounds = demoBounds(roomAt(temporary), config.journal.segment)
  return {
    config: { ...config, journal: { ...config.journal, record: 'events', directory: temporary, ...bounds } },
    forget: () => rmSync(temporary, { recursive: true, force: true })
  }
}

const NOWHERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EADDRNOTAVAIL', 'EINVAL', 'EAFNOSUPPORT'])

/** What the operator can do about it, where we cannot listen. */
export function listenFault(
  error: NodeJS.ErrnoException & { port?: number },
  { host, port }: Pick<Config, 'host' | 'port'>,
  control = '--set street.control='
): ConfigError | undefined {
  const { code = '', message } = error
  const isOurs = error.port === undefined || error.port === port
  const option = isOurs ? '--port' : control
  if (code === 'EADDRINUSE') {
    return new ConfigError(`port ${error.port} is taken by another program: choose one with ${option}, 0 for a free one`)
  }
  if (code === 'EACCES')
    return new ConfigError(
      `port is ${error.port}: this user may not listen there (${message}); choose one above 1023 with ${option}, or 0 for a free one`
    )
  if (!NOWHERE.has(code)) return undefined
  return new ConfigError(
    `host is ${JSON.stringify(host)}: no address of this machine (${message}); it takes one, as in 127.0.0.1`
  )
}

async function open(street: Street | undefined, config: Config, mode: Mode, flags: ServeFlags, log: Log): Promise<Server> {
  const served = street ? { ...config, ...(await onStreet(street, config)) } : config
  const playing = flags.capture === undefined ? {} : { playing: { capture: flags.capture, speed: speedOf(flags.speed) } }
  return startServer(served, { mode, log, ...playing, ...(existsSync(page) ? { page } : {}) })
}

export function openStreet(config: Config, flags: Pick<ServeFlags, 'capture' | 'speed'>, log: Log): Street {
  const capture = flags.capture === undefined ? {} : { capture: captureOf(flags.capture), speed: speedOf(flags.speed) }
  return createStreet({ seed: config.street.seed, control: config.street.control, clock: Date.now, log, ...capture })
}

export function captureOf(provider: string): string {
  if (CAPTURES.includes(provider)) return provider
  throw new ConfigError(`--capture is ${JSON.stringify(provider)}: there are recorded sessions of ${CAPTURES.join(', ')}`)
}

export function speedOf(text: string): number {
  const speed = Number(text)
  if (!(speed > 0)) throw new ConfigError(`--speed is ${JSON.stringify(text)}: it takes a number above 0; 1 is as recorded`)
  return speed
}

/** The configuration with every address turned to the street: simulated and live prices never mix in one process. */
export async function onStreet(street: Street, config: Config): Promise<Pick<Config, 'providers' | 'watch'>> {
  const addresses = await street.start()
  const providers = Object.fromEntries(
    Object.entries(config.providers).map(([name, provider]) => {
      const address = addresses[name]
      return [
        name,
        address ? { ...provider, ...address, enabled: true, key: 'street', secret: 'street' } : { ...provider, enabled: false }
      ]
    })
  )
  return { providers, watch: street.watch }
}

function announce(url: string, mode: Mode, flags: ServeFlags, control?: string): void {
  const what = {
    demo: 'Demo: every price is simulated. Real ones: npm start -- --live',
    capture: `Capture: the recorded session of ${flags.capture}, at ${flags.speed} times its pace.`,
    live: 'Live: prices of the real providers.',
    replay: 'Replay: prices of a recording.'
  }[mode]
  console.log(`\n  Tickwire  ${url}\n\n  ${what}`)
  if (control)
    console.log(
      `  Faults of the street: curl -X POST '${control}/street/<provider>/<fault>?for=5000'  (list: curl ${control}/street)`
    )
  console.log(`  Docs of the API: ${url}/docs   Stop: Ctrl-C\n`)
}
