/** A simulated provider: the street's market, its real protocol, and a door for sockets and one for REST; both can fail. */
import { topicName } from '@tickwire/protocol'
import { mirrors } from '@tickwire/server/dialects/index.ts'
import type { Transport } from '@tickwire/server/connection/http.ts'
import type { Dial } from '@tickwire/server/connection/link.ts'
import { keepFor } from '@tickwire/server/plant/keep.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { createDesk } from '@tickwire/street/desk.ts'
import { seedOf, stream } from '@tickwire/street/random.ts'
import { instrumentOf, VENUES } from '@tickwire/street/venues.ts'
import { createHall, type Call } from './hall.ts'
import { createMeter } from './limits.ts'
import { CALM } from './pipe.ts'
import { createRest } from './rest.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'
import type { Trouble } from './trouble.ts'
import type { Truth } from './truth.ts'
import { createWalk, type Happening } from './walk.ts'

export type VenueOptions = {
  provider: string
  instruments: readonly string[]
  seed: number
  schedule: Schedule
  truth: Truth
  complain: (what: string) => void
}
export type SimulatedVenue = ReturnType<typeof createVenue>

const STEP = 200
const WARM_UP = 5_000
/** Per second and instrument: thin enough for speed, thick enough for every kind of damage. */
const PACE = { depth: 10, quotes: 0.6, trades: 0.5, tickers: 0.1, books: 0.4 }
const STALE_AFTER = 15_000
const HANDSHAKE = 10_000
export const ATTEMPTS = { count: 20, per: 10_000 }
const always = () => ({ upstream: 'live' as const, release: () => {} })
/** Its heart beats; a provider waits longer for a pong than we do. */
const LIMITS = { message: 16 * 1024 * 1024, heartbeat: { interval: 20_000, deadline: 60_000 } }

export function createVenue({ provider, instruments, seed, schedule, truth, complain }: VenueOptions) {
  const real = adapters[provider]!
  // With five attempts a minute, or a minute's trust in a dead socket, nobody could be back within 30 s of such weather.
  const adapter = { ...real, limits: { ...real.limits, attempts: ATTEMPTS }, staleAfter: Math.min(real.staleAfter, STALE_AFTER) }
  const known = VENUES[provider]!
  const meter = createMeter({ adapter, clock: schedule.now, complain })
  const draw = stream(seedOf(seed, `venue:${provider}`))
  const trouble: Trouble = { weather: { ...CALM }, door: 'open', rest: undefined, skew: 0, token: 'first' }
  const listing = known.listing.filter((row) => instruments.includes(instrumentOf(row)))
  const live = createWalk(provider, listing, { ...PACE, ...(known.depth === 0 && { books: 0 }) }, draw)
  const plant = createPlant({ epoch: provider, keep: keepFor(1_000) })
  const clock = schedule.now
  const desk = createDesk({ provider, listing, plant, clock, past: () => [] })
  const dialect = mirrors[provider]!
  const hall = createHall({ plant, desk, dialects: [dialect], demand: always, schedule, draw, flushEvery: 4, limits: LIMITS })

  const emit = (event: Happening): void => {
    truth.tell(event)
    plant.publish(topicName(event.type, event.instrument), event, clock())
  }
  for (let at = WARM_UP; at > 0; at -= STEP) live(clock() - at - known.latency, STEP / 1_000, emit)
  schedule.every(STEP, () => live(clock() - known.latency + trouble.skew, STEP / 1_000, emit))

  const dial: Dial = ({ url, binary }, { onOpen, onFrame, onClose }) => {
    meter.dialled()
    const sends = meter.sender()
    let call: Call | undefined
    let over = false
    const token = access.key
    const end = (reason: string, denied = false): void => {
      if (over) return
      over = true
      onClose(denied ? { reason, denied } : { reason })
    }
    const open = (): void => {
      if (over) return
      if (trouble.door === 'slam') return end('connection refused')
      if (token !== trouble.token) {
        // Whoever renews our token does so once it is refused.
        access.key = trouble.token
        return end('handshake refused with HTTP 401', true)
      }
      const { pathname, search } = new URL(url)
      call = hall.enter(pathname + search, {
        weather: () => trouble.weather,
        hear: (message) => !over && onFrame(binary ? Buffer.from(message) : message.toString()),
        closed: (code) => end(`closed ${code}`)
      })
      if (call) onOpen()
      else end('handshake refused with HTTP 404')
    }
    if (trouble.door === 'hang') schedule.after(HANDSHAKE, () => end('Opening handshake has timed out'))
    else schedule.after(2 * CALM.latency, open)
    return {
      send(frame) {
        sends()
        call?.send(frame)
      },
      close() {
        over = true
        call?.hangUp(true)
      }
    }
  }

  const access = { key: trouble.token, secret: 'street' }
  const transport: Transport = createRest({ meter, dialect, desk, schedule, draw, trouble: () => trouble })
  return {
    provider,
    adapter,
    trouble,
    dial,
    transport,
    /** What we hold; it is renewed later than the provider changes its own. */
    access,
    cut: hall.cutAll,
    connections: hall.open,
    instruments: listing.map(instrumentOf)
  }
}
