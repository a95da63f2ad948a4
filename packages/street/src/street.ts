/** The street: simulated providers on loopback ports, each speaking its own protocol, with faults on command. */
import { fileURLToPath } from 'node:url'
import { mirrors } from '@tickwire/server/dialects/index.ts'
import type { Log } from '@tickwire/server/ops/log.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { createControl } from './control.ts'
import { FAULTS, isFault, type Fault } from './faults.ts'
import { createHouse, type House } from './house.ts'
import { readRecording } from './recording.ts'
import { replayDialect } from './replay.ts'
import { DEMO, instrumentOf, RECORDINGS, VENUES } from './venues.ts'

export { FAULTS, type Fault } from './faults.ts'

export type StreetOptions = {
  seed: number
  clock: () => number
  log: Log
  /** Those of the demo unless named. */
  providers?: readonly string[]
  /** Port of each provider; a free one where none is named. */
  ports?: Readonly<Record<string, number>>
  /** Port of the control endpoint; 0 or none: a free one. */
  control?: number
  /** The one provider whose recorded session is played instead of the synthetic market. */
  capture?: string
  /** Of a capture: 1 is as recorded. */
  speed?: number
  /** Directory of the captures. */
  captures?: string
}
export type Addresses = Record<string, Address>
type Address = { wsUrl: string; restUrl: string; feed?: string }
export type Street = ReturnType<typeof createStreet>

/** Providers of whom there is a recorded session. */
export const CAPTURES: readonly string[] = Object.keys(RECORDINGS)

const RECORDED = fileURLToPath(new URL('../../../captures', import.meta.url))

const pick = <T>(from: Readonly<Record<string, T>>, name: string, what: string): T => {
  if (Object.hasOwn(from, name)) return from[name]!
  throw new Error(`there is no ${what} of ${JSON.stringify(name)}; there is one of ${Object.keys(from).join(', ')}`)
}

function houses(options: StreetOptions): House[] {
  const { seed, clock, log, ports = {}, capture, speed = 1, captures = RECORDED } = options
  const common = (provider: string) => ({ provider, seed, clock, log, port: ports[provider] ?? 0 })
  if (capture !== undefined) {
    const plan = pick(RECORDINGS, capture, 'recorded session')
    if (!(speed > 0)) throw new Error(`speed is ${speed}: it is a number above 0, and 1 is as recorded`)
    const dialect = replayDialect(plan, readRecording(captures, plan), mirrors[capture]!, speed)
    return [createHouse({ ...common(capture), dialect, listing: plan.rows })]
  }
  return (options.providers ?? DEMO).map((provider) =>
    createHouse({ ...common(provider), venue: pick(VENUES, provider, 'venue'), dialect: pick(mirrors, provider, 'dialect') })
  )
}

const pathOf = (url: string): string => (url === '' ? '' : new URL(url).pathname.replace(/\/$/, ''))

/** Loopback in place of the provider's host; the paths are the provider's own. */
function addressOf(house: House): Address {
  const adapter = adapters[house.provider]!
  const host = `127.0.0.1:${house.port()}`
  const address: Address = {
    wsUrl: `ws://${host}${pathOf(adapter.wsUrl ?? '')}`,
    restUrl: `http://${host}${pathOf(adapter.restUrl)}`
  }
  const feed = VENUES[house.provider]?.feed
  if (feed !== undefined) address.feed = feed
  return address
}

export function createStreet(options: StreetOptions) {
  const all = new Map(houses(options).map((house) => [house.provider, house]))
  const houseOf = (provider: string): House => pick(Object.fromEntries(all), provider, 'provider')
  const addresses = (): Addresses => Object.fromEntries([...all.values()].map((house) => [house.provider, addressOf(house)]))

  const fault = (provider: string, name: string, milliseconds?: number): void => {
    const { faults } = houseOf(provider)
    if (name === 'heal') faults.heal()
    else if (isFault(name)) faults.inject(name, milliseconds)
    else
      throw new Error(
        `there is no fault ${JSON.stringify(name)}; there are ${[...Object.keys(FAULTS), 'heal', 'kill', 'revive'].join(', ')}`
      )
  }
  const kill = (provider: string): Promise<void> => houseOf(provider).kill()
  const revive = (provider: string): Promise<void> => houseOf(provider).revive()
  const report = () =>
    [...all.values()].map((house) => ({
      provider: house.provider,
      ...addressOf(house),
      open: house.isOpen(),
      connections: house.connections(),
      faults: house.faults.active()
    }))
  const control = createControl({ fault, kill, revive, report })

  return {
    /** Instruments of all providers, canonical. */
    watch: [
      ...new Set(
        [...all.keys()].flatMap((name) => (options.capture ? RECORDINGS[name]!.rows : VENUES[name]!.listing).map(instrumentOf))
      )
    ],

    async start(): Promise<Addresses> {
      await Promise.all([...all.values()].map((house) => house.start()))
      await control.listen(options.control ?? 0)
      return addresses()
    },

    /** Address of the control endpoint, once started. */
    get control(): string {
      return control.url()
    },

    /** Without `milliseconds` it lasts until `heal`. */
    fault: (provider: string, name: Fault | 'heal', milliseconds?: number) => fault(provider, name, milliseconds),
    kill,
    revive,
    report,
    /** The events as the street published them, to compare with what arrived. */
    plant: (provider: string) => houseOf(provider).plant,

    async stop(): Promise<void> {
      await Promise.all([control.close(), ...[...all.values()].map((house) => house.stop())])
    }
  }
}
