/** Replays through the gateway: ordered by REST, heard over a WebSocket of their own, every message marked. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { Published, RecordedRun, ReplayState } from '@tickwire/protocol'
import type { JournalReader } from '../../src/journal/journal.ts'
import { createPlant } from '../../src/plant/plant.ts'
import type { ReplayWiring } from '../../src/replays.ts'
import { connect, startRig, tradeOf, type Client, type Rig } from '../gateway/rig.ts'
import { journalOf, openAll, RUN, tradesEvery, wiringOf } from './kit.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A machine that does much else. */
const POLL = { timeout: 60_000 }
const STEP = 10
const COUNT = 400
const recorded = tradesEvery(STEP, COUNT)
const [from, to] = [recorded[0]!.time, recorded.at(-1)!.time]

async function open(reader: JournalReader = journalOf(recorded), more: Partial<ReplayWiring> = {}) {
  const plant = createPlant({ epoch: 'live' })
  const demanded: string[] = []
  const demand = (topic: { kind: string; instrument: string }) => {
    demanded.push(`${topic.kind}:${topic.instrument}`)
    return {
      upstream: 'live' as const,
      release: () => void demanded.splice(demanded.indexOf(`${topic.kind}:${topic.instrument}`), 1)
    }
  }
  const replays = openAll(wiringOf(reader, [], { live: { plant, demand }, ...more }))
  const rig = await startRig({ plant, replays })
  closing.push(() => rig.gateway.close(0))
  return { rig, plant, demanded, replays }
}

async function ask(rig: Rig, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(rig.base + path, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: response.status, body: (await response.json()) as ReplayState & { error?: { code: string; message: string } } }
}
const order = async (rig: Rig, more: object = {}): Promise<string> => {
  const { status, body } = await ask(rig, 'POST', '/v1/replays', { run: RUN, paused: true, ...more })
  expect(status).toBe(201)
  return body.replay
}
const change = (rig: Rig, replay: string, body: object) => ask(rig, 'POST', `/v1/replays/${replay}`, body)
const state = async (rig: Rig, replay: string): Promise<ReplayState> => (await ask(rig, 'GET', `/v1/replays/${replay}`)).body

async function hear(rig: Rig, replay: string, topics: string[], more: object = {}): Promise<Client> {
  const client = await connect(`ws://127.0.0.1:${rig.port}/v1/replay/${replay}/ws`)
  closing.push(() => client.ws.terminate())
  client.send({ op: 'subscribe', id: 1, topics, ...more })
  await client.message('subscribed')
  return client
}
const of = (client: Client, topic: string): Published[] => client.events().filter((event) => event.topic === topic)

/** Told on `replay:all`. */
const stands = (client: Client, holds: (told: ReplayState) => boolean) =>
  client.until(() => of(client, 'replay:all').some((event) => holds(event as unknown as ReplayState)), 15_000)

describe('[S2-39] [S4-29] a replay is heard at an address of its own', () => {
  test('in the native protocol, with its mode in the greeting, and its name on every event, of services too', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    const topics = ['trade:BTC-USDT', 'candle:BTC-USDT:1m', 'change:BTC-USDT', 'replay:all']
    const client = await hear(rig, replay, topics)
    expect(await client.message('hello')).toMatchObject({ mode: 'replay' })
    await change(rig, replay, { paused: false, speed: 20 })
    await stands(client, ({ phase }) => phase === 'ended')
    const events = client.events()
    expect(events.filter((event) => event.replay !== replay)).toEqual([])
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['trade', 'candle', 'change', 'replay']))
    expect(of(client, 'trade:BTC-USDT').map(({ seq }) => seq)).toEqual(Array.from({ length: COUNT / 2 }, (_, i) => i + 1))
    expect(of(client, 'trade:BTC-USDT').every(({ published }) => published >= from && published <= to)).toBe(true)
  })

  test('the name stays on events of which few fields were asked', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    const client = await hear(rig, replay, ['trade:BTC-USDT'], { contract: { fields: ['price'] } })
    await change(rig, replay, { step: 10 })
    await client.until(() => of(client, 'trade:BTC-USDT').length >= 3)
    expect(of(client, 'trade:BTC-USDT').every((event) => event.replay === replay && !('size' in event))).toBe(true)
  })

  test('as fast as it goes nothing is lost of what a client asked for each of, and it is the same as at another speed', async () => {
    const { rig } = await open(journalOf(tradesEvery(1, 20_000)))
    const digestAt = async (speed: number): Promise<string> => {
      const replay = await order(rig, { speed, to: from + (speed === 0 ? 20_000 : 20_000) })
      const client = await hear(rig, replay, ['trade:BTC-USDT', 'candle:BTC-USDT:1m', 'replay:all'], {
        contract: { delivery: 'every' }
      })
      await change(rig, replay, { paused: false })
      await stands(client, ({ phase }) => phase === 'ended')
      await client.until(() => of(client, 'trade:BTC-USDT').length >= 10_000, 20_000)
      expect(client.said.filter((each) => !Array.isArray(each) && (each.op === 'lost' || each.op === 'contract'))).toEqual([])
      await ask(rig, 'DELETE', `/v1/replays/${replay}`)
      const trades = of(client, 'trade:BTC-USDT')
      expect(trades).toHaveLength(10_000)
      const told = client.events().filter(({ type }) => type !== 'replay')
      const hash = createHash('sha256')
      for (const [topic, events] of Object.entries(Object.groupBy(told, (event) => event.topic)))
        hash.update(JSON.stringify([topic, events?.map((event) => ({ ...event, replay: '' }))]))
      return hash.digest('hex')
    }
    const most = await digestAt(0)
    expect(await digestAt(50)).toBe(most)
    expect(await digestAt(0)).toBe(most)
  }, 30_000)

  test('an address without a replay is none', async () => {
    const { rig } = await open()
    await expect(connect(`ws://127.0.0.1:${rig.port}/v1/replay/none/ws`)).rejects.toThrow('404')
  })
})

describe('[S2-39] a replay is steered', () => {
  test('paused it stands, and a step is one event', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    const client = await hear(rig, replay, ['trade:BTC-USDT', 'trade:ETH-USDT'])
    const before = (await state(rig, replay)).events
    for (const nth of [1, 2, 3]) {
      await change(rig, replay, { step: 1 })
      await client.until(() => client.events().filter(({ type }) => type === 'trade').length >= nth)
      await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    }
    expect((await state(rig, replay)).events).toBeGreaterThanOrEqual(before + 3)
    expect((await state(rig, replay)).at).toBeLessThan(from + 10 * STEP)
  })

  test('a seek begins a new epoch: its readers hold what they held, with a snapshot of how it stood then', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    const client = await hear(rig, replay, ['trade:BTC-USDT', 'candle:BTC-USDT:1m', 'replay:all'])
    const { results } = await client.message('subscribed')
    const at = from + 200 * STEP
    await change(rig, replay, { seek: at })
    const again = await client.until(() =>
      client.said.findLast(
        (each) =>
          !Array.isArray(each) &&
          each.op === 'subscribed' &&
          each.id === undefined &&
          each.results.some((r) => r.ok && r.topic === 'candle:BTC-USDT:1m' && r.position.seq > 0)
      )
    )
    const told = (again as typeof again & { results: typeof results }).results
    expect(told.every((result) => result.ok && result.recovered === false)).toBe(true)
    const [before, after] = [results, told].map((all) => all.find((each) => each.ok && each.topic === 'trade:BTC-USDT'))
    expect(after?.ok === true && before?.ok === true && after.position.epoch !== before.position.epoch).toBe(true)
    // Trades were played untold up to there: the candle holds them, up to when it was told last.
    const candle = await client.until(() =>
      of(client, 'candle:BTC-USDT:1m').findLast((event) => event.type === 'candle' && (event.trades ?? 0) > 70)
    )
    expect(candle.replay).toBe(replay)
    expect(of(client, 'trade:BTC-USDT').length).toBeLessThan(5)
    await change(rig, replay, { step: 40 })
    await client.until(() => of(client, 'trade:BTC-USDT').some(({ seq, published }) => seq === 101 && published === at))
  })

  test('a step back goes to where it stood before', async () => {
    const { rig } = await open()
    const replay = await order(rig, { from: from + 100 * STEP })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    await change(rig, replay, { step: 20 })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    const there = await state(rig, replay)
    await change(rig, replay, { step: -5 })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    const back = await state(rig, replay)
    expect(back.events).toBeLessThanOrEqual(there.events - 5)
    // What follows from an event comes and goes with it.
    expect(back.events).toBeGreaterThan(there.events - 5 - 30)
    expect(back.at).toBeLessThan(there.at)
  })

  test('a step that is ordered while it seeks is taken from where the seek ends; a step back at its beginning stays there', async () => {
    const { rig } = await open()
    const begin = from + 100 * STEP
    const replay = await order(rig, { from: begin })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    const there = await state(rig, replay)
    const ordered = await change(rig, replay, { seek: from + 200 * STEP, step: 1 })
    expect(ordered.body.phase).toBe('seeking')
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    expect((await state(rig, replay)).at).toBe(from + 200 * STEP)
    await change(rig, replay, { seek: begin })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    await change(rig, replay, { step: -1 })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    expect(await state(rig, replay)).toMatchObject({ at: there.at, events: there.events })
  })

  test('a loop begins anew, in another epoch, until it is told otherwise', async () => {
    const { rig } = await open()
    const replay = await order(rig, { loop: true, speed: 0, to: from + 50 * STEP })
    const client = await hear(rig, replay, ['trade:BTC-USDT', 'replay:all'])
    await change(rig, replay, { paused: false })
    await client.until(() => of(client, 'trade:BTC-USDT').filter(({ published }) => published === from).length >= 3)
    await change(rig, replay, { loop: false })
    await stands(client, ({ phase }) => phase === 'ended')
  })

  test('its pace is what was asked, and can be changed on the way', async () => {
    const { rig } = await open()
    const replay = await order(rig, { paused: false, speed: 1 })
    const client = await hear(rig, replay, ['replay:all'])
    await client.until(() => of(client, 'replay:all').length >= 2)
    // Real time passed, at least as much as recorded time.
    const slow = await state(rig, replay)
    expect(slow.at - from).toBeLessThan(3_500)
    await change(rig, replay, { speed: 0 })
    await stands(client, ({ phase }) => phase === 'ended')
    expect((await state(rig, replay)).at).toBe(to + 1)
  })

  test('at its end it stands until it is sent elsewhere', async () => {
    const { rig } = await open()
    const replay = await order(rig, { paused: false, speed: 0 })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('ended')
    await change(rig, replay, { seek: from, paused: true })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    expect((await state(rig, replay)).at).toBeLessThan(from + STEP)
  })
})

describe('[S2-39] what a replay has told', () => {
  test('its last trades are there for whoever comes, of what lies before a seek as well, marked as its own', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    const address = `/v1/replays/${replay}/trades/BTC-USDT?limit=5`
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    await change(rig, replay, { seek: from + 200 * STEP })
    await expect.poll(async () => (await state(rig, replay)).phase, POLL).toBe('paused')
    const { body } = await ask(rig, 'GET', address)
    const { trades } = body as unknown as { trades: Published[] }
    expect(trades.map(({ published }) => (published - from) / STEP)).toEqual([190, 192, 194, 196, 198])
    expect(trades.every((trade) => trade.replay === replay)).toBe(true)
    expect((await ask(rig, 'GET', '/v1/replays/none/trades/BTC-USDT')).status).toBe(404)
    expect((await ask(rig, 'GET', `/v1/replays/${replay}/trades/NONE`)).body.error?.message).toMatch(/no instrument "NONE"/)
  })
})

describe('[S2-39] orders that cannot be done are refused in words', () => {
  test.each([
    ['a run that is not there', { run: 'other' }, 404, /run: there is no run "other"/],
    ['a span outside of the run', { run: RUN, from: 5 }, 400, /from: 5 is outside of the run/],
    ['an end before its beginning', { run: RUN, from: from + 5, to: from }, 400, /to: .* is not after from/],
    ['a speed out of range', { run: RUN, speed: 0.01 }, 400, /speed: 0.01 is out of range: 0.1 to/],
    ['a field that there is not', { run: RUN, pace: 3 }, 400, /pace/],
    ['a speed that is none', { run: RUN, speed: 'fast' }, 400, /^speed: must be a number, not "fast"$/],
    ['a time that is a text', { run: RUN, from: 'now' }, 400, /^from: must be epoch milliseconds, not "now"$/],
    ['a run that is missing', {}, 400, /^run: must be a run of GET \/v1\/recordings, and is missing$/]
  ])('%s', async (_, body, status, words) => {
    const { rig } = await open()
    const answer = await ask(rig, 'POST', '/v1/replays', body)
    expect(answer.status).toBe(status)
    expect(answer.body.error?.message).toMatch(words)
  })

  test('a seek beyond the span, a replay that is not there', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    expect((await change(rig, replay, { seek: to + 5_000 })).body.error?.message).toMatch(/seek: .* is outside of the span/)
    expect((await change(rig, 'none', { paused: true })).status).toBe(404)
    expect((await ask(rig, 'DELETE', '/v1/replays/none')).status).toBe(404)
  })

  test('the fifth replay is refused, and there is room again after one has ended', async () => {
    const { rig } = await open()
    const names = await Promise.all([order(rig), order(rig), order(rig), order(rig)])
    expect(await ask(rig, 'POST', '/v1/replays', { run: RUN })).toMatchObject({ status: 429 })
    expect((await ask(rig, 'DELETE', `/v1/replays/${names[0]}`)).status).toBe(200)
    await order(rig)
  })

  test('the third replay of one user is refused, another user has room', async () => {
    const { replays } = await open()
    expect(replays.order({ run: RUN }, 'ann').ok).toBe(true)
    expect(replays.order({ run: RUN }, 'ann').ok).toBe(true)
    expect(replays.order({ run: RUN }, 'ann')).toMatchObject({ ok: false, code: 'RATE_LIMITED' })
    expect(replays.order({ run: RUN }, 'ben').ok).toBe(true)
  })

  test('the replay of a user is steered and ended by him, or by an admin', async () => {
    const { replays } = await open()
    const ordered = replays.order({ run: RUN }, 'ann')
    const name = ordered.ok ? ordered.value.replay : ''
    const ben = { user: 'ben', admin: false }
    expect(replays.change(name, { paused: true }, ben)).toMatchObject({ ok: false, code: 'FORBIDDEN' })
    expect(replays.end(name, ben)).toMatchObject({ ok: false, code: 'FORBIDDEN' })
    expect(replays.end(name)).toMatchObject({ ok: false, code: 'FORBIDDEN' })
    expect(replays.change(name, { paused: true }, { ...ben, user: 'ann' }).ok).toBe(true)
    expect(replays.end(name, { ...ben, admin: true }).ok).toBe(true)
  })

  test('a request that is no handshake is told so, and the document names what can be asked', async () => {
    const { rig } = await open()
    const replay = await order(rig)
    expect(await ask(rig, 'GET', `/v1/replay/${replay}/ws`)).toMatchObject({ status: 426 })
    const { paths } = (await (await fetch(`${rig.base}/docs/json`)).json()) as {
      paths: Record<string, Record<string, { responses: object }>>
    }
    expect(Object.keys(paths['/v1/replays/{replay}'] ?? {}).toSorted()).toEqual(['delete', 'get', 'post'])
    const statuses = Object.keys(paths['/v1/replays']?.['post']?.responses ?? {})
    expect(statuses.filter((status) => status < '300')).toEqual(['201'])
  })

  test('a page of another origin orders nothing', async () => {
    const { rig } = await open()
    const headers = { origin: 'https://elsewhere.example' }
    expect(await ask(rig, 'POST', '/v1/replays', { run: RUN }, headers)).toMatchObject({ status: 403 })
  })
})

describe('[S15] nothing of a replay reaches the live plant', () => {
  test('no topic of it changes, whatever is replayed, and live readers hear nothing', async () => {
    const { rig, plant } = await open()
    const live = await connect(rig.url)
    closing.push(() => live.ws.terminate())
    live.send({ op: 'subscribe', topics: ['trade:BTC-USDT', 'candle:BTC-USDT:1m'] })
    await live.message('subscribed')
    const replay = await order(rig, { speed: 0 })
    const client = await hear(rig, replay, ['trade:BTC-USDT', 'replay:all'])
    await change(rig, replay, { paused: false })
    await stands(client, ({ phase }) => phase === 'ended')
    expect(of(client, 'trade:BTC-USDT').length).toBe(COUNT / 2)
    expect(plant.position('trade:BTC-USDT').seq).toBe(0)
    expect([...plant.topics()].filter((topic) => plant.position(topic).seq > 0)).toEqual([])
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 5), Date.now())
    await live.until(() => live.events().length > 0)
    expect(live.events().map(({ replay: mark }) => mark)).toEqual([undefined])
    expect(of(client, 'trade:BTC-USDT').length).toBe(COUNT / 2)
  })

  test('its state is no topic of the live plant', async () => {
    const { rig } = await open()
    const live = await connect(rig.url)
    closing.push(() => live.ws.terminate())
    live.send({ op: 'subscribe', topics: ['replay:all'] })
    const { results } = await live.message('subscribed')
    expect(results[0]).toMatchObject({ ok: false, code: 'NOT_FOUND' })
  })
})

describe('an idle replay ends', () => {
  test('a minute after its last reader left, and its readers are told when it is ended by hand', async () => {
    let now = Date.now()
    const runs: RecordedRun[] = journalOf(recorded).runs()
    const { rig, replays } = await open({ ...journalOf(recorded), runs: () => runs }, { clock: () => now })
    const replay = await order(rig)
    const client = await hear(rig, replay, ['replay:all'])
    now += 300_000
    await client.until(() => of(client, 'replay:all').length >= 3)
    expect(replays.all()).toHaveLength(1)
    client.ws.close()
    await client.closed()
    // From the moment that it left.
    await expect.poll(() => rig.gateway.connections().length).toBe(0)
    now += 59_000
    const other = await order(rig)
    const second = await hear(rig, other, ['replay:all'])
    await second.until(() => of(second, 'replay:all').length >= 3)
    expect(replays.all()).toHaveLength(2)
    now += 1_001
    await expect.poll(() => replays.all().map((each) => each.replay), { timeout: 30_000 }).toEqual([other])
    await ask(rig, 'DELETE', `/v1/replays/${other}`)
    expect(await second.closed()).toMatchObject({ code: 4505 })
  })
})
