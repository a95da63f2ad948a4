/** Simulated clients: the real SDK over simulated connections that are cut, muted, and read slowly. */
import { connect, type Client, type Published } from '@tickwire/client'
import { seedOf, stream } from '@tickwire/street/random.ts'
import type { Call, Hall } from './hall.ts'
import { CALM, type Weather } from './pipe.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'

export type Person = {
  name: string
  topics: readonly string[]
  client: Client
  weather: Weather
  /** The connection of the moment. */
  call: Call | undefined
  cut: () => void
}

/** What a person's client reports; each is checked. */
export type Reports = {
  event: (person: string, event: Published) => void
  told: (person: string, what: 'lost' | 'gap' | 'resumed' | 'reset', topic: string, from: number, to: number) => void
  agreed: (person: string, topic: string, delivery: string) => void
}

type Listener = (event: never) => void
export type PersonOptions = {
  name: string
  topics: readonly string[]
  hall: Hall
  schedule: Schedule
  seed: number
  reports: Reports
  token: string
}

export function createPerson({ name, topics, hall, schedule, seed, reports, token }: PersonOptions): Person {
  const draw = stream(seedOf(seed, `client:${name}`))
  const person: Person = { name, topics, weather: { ...CALM }, call: undefined, cut: () => {}, client: undefined as never }
  const { weather } = person

  /** As much of a WebSocket as the SDK uses. */
  class Socket {
    #listeners = new Map<string, Listener>()
    #call: Call | undefined
    constructor(url: string) {
      let over = false
      const tell = (what: string, event: unknown): void => this.#listeners.get(what)?.(event as never)
      const closed = (code: number, reason: string): void => {
        if (over) return
        over = true
        tell('close', { code, reason })
      }
      schedule.after(2 * CALM.latency, () => {
        this.#call = hall.enter(new URL(url).pathname, {
          weather: () => weather,
          hear: (message) => !over && tell('message', { data: message }),
          closed
        })
        if (!this.#call) return closed(1006, '')
        person.call = this.#call
        const call = this.#call
        person.cut = () => {
          call.hangUp(true)
          closed(1006, '')
        }
        tell('open', {})
      })
    }
    addEventListener(what: string, listener: Listener): void {
      this.#listeners.set(what, listener)
    }
    send(text: string): void {
      this.#call?.send(text)
    }
    close(): void {
      this.#call?.hangUp(true)
    }
  }

  const client = connect({
    url: 'ws://simulated',
    WebSocket: Socket,
    fallback: false,
    token,
    random: draw,
    time: schedule,
    client: name,
    backoff: { min: 250, max: 4_000 },
    inactivity: 20_000
  })
  person.client = client
  client.on('lost', ({ topic, from, to }) => reports.told(name, 'lost', topic, from, to))
  client.on('gap', (hole) => {
    if (hole.source === 'connection') reports.told(name, 'gap', hole.topic, hole.from, hole.to)
  })
  client.on('reset', ({ topic, previous, position }) => reports.told(name, 'reset', topic, previous.seq, position.seq))
  client.on('resumed', ({ topic, position }) => reports.told(name, 'resumed', topic, position.seq, position.seq))
  client.on('contract', ({ topics, contract }) => {
    for (const topic of topics) reports.agreed(name, topic, contract.delivery)
  })
  client.on('error', () => {})
  client.subscribe(topics, (event) => reports.event(name, event))
  return person
}
