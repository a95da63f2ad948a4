/** The same plant inside the program that uses it: no port, no file; the client's link to it is in memory. */
import { openPlant } from './main.ts'
import type { Config, ConfigInput } from './config.ts'
import { native } from './dialects/native.ts'
import { createInner } from './gateway/inner.ts'
import { socketsInto, type MemorySocket } from './gateway/memory.ts'
import { createLog, type Log } from './ops/log.ts'
import { providers } from './providers/index.ts'
import { ConfigError, resolveConfig } from './settings.ts'
import { timers } from './timers.ts'

export type EmbedOptions = {
  /** By provider, as in `{ name: { key, secret } }`: each that is named is used, beside those that want no key. */
  keys?: Readonly<Record<string, { key?: string; secret?: string }>>
  /** Any other option of docs/configuration.md. Nothing is collected that nobody reads, unless `watch` says so. */
  config?: ConfigInput
  /** Prices are simulated: the addresses in `config` are those of a street. */
  simulated?: boolean
  /** How long the first questions wait for the lists of the providers, in milliseconds; 4,000 unless named. */
  listedWithin?: number
  log?: Log
}

export type Embedded = {
  /** As much of a WebSocket as the client uses; whatever the address, it leads into this plant. */
  WebSocket: MemorySocket
  /** What is connected now. */
  connections: () => number
  stop: () => Promise<void>
}

/** A symbol asked for before the lists of the providers are there would be refused for now, and asked again later. */
const LISTED_WITHIN = 4_000

/** Throws at once what is wrong with the options, in words. */
export function embed(options: EmbedOptions = {}): Embedded {
  const { keys = {}, config: given = {}, simulated = false, listedWithin = LISTED_WITHIN, log } = options
  const named = Object.entries(keys).map(([provider, access]) => [provider, { enabled: true, ...access }])
  const config = resolveConfig({ watch: [], log: { level: 'warn' } }, { providers: Object.fromEntries(named) }, layer(given))
  for (const provider of Object.keys(keys)) checkAccess(provider, config)
  const open = openPlant(config, {
    mode: simulated ? 'demo' : 'live',
    log: log ?? createLog({ level: config.log.level }),
    connections: () => inner.connections()
  })
  const { plant, desk, demand } = open
  const inner = createInner({ plant, desk, demand, dialects: [native], clock: Date.now, timers, flushEvery: 0 })
  const latest = Date.now() + listedWithin
  const started = open.start()
  // Its failure is told by whoever stops; a provider that is down is no failure.
  started.catch(() => {})
  return {
    WebSocket: socketsInto(inner, () => desk.unlisted().length === 0 || Date.now() > latest),
    connections: inner.open,
    async stop() {
      inner.stop()
      // What its start still waits for, such as the list of a provider, ends with it.
      await open.stop()
      await started
    }
  }
}

/** With half of what it takes to be let in, a provider that was named would only ever be refused. */
function checkAccess(provider: string, config: Config): void {
  const { key, keyFile, secret, secretFile } = config.providers[provider]!
  const given = { key: key ?? keyFile, secret: secret ?? secretFile }
  const needed = new Set(providers[provider]!.needs)
  if (given.secret !== undefined) needed.add('key')
  const missing = (['key', 'secret'] as const).filter((which) => needed.has(which) && given[which] === undefined)
  if (missing.length > 0) throw new ConfigError(`providers.${provider}: its ${missing.join(' and ')} is missing`)
}

/** Layers are merged as JSON, which the input of the schema is. */
const layer = (config: ConfigInput): Parameters<typeof resolveConfig>[0] => config as Parameters<typeof resolveConfig>[0]
