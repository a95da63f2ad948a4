import { readFileSync } from 'node:fs'
import asyncApiSpecs from '@asyncapi/specs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { asyncApi } from '../../scripts/asyncapi.ts'
import { run, until, type Program } from '../e2e/program.ts'

let program: Program
let base: string
beforeAll(async () => {
  program = await run(['--demo', '--port', '0', '--set', 'street.control=0'], /Tickwire {2}(http:\S+)/)
  base = program.found[1]!
})
afterAll(() => program?.kill('SIGKILL'))

type Json = { [key: string]: any }
const getJson = async (path: string): Promise<Json> => (await (await fetch(`${base}${path}`)).json()) as Json

describe('AsyncAPI', () => {
  test('what is served is what the types of the protocol say: otherwise run npm run docs', async () => {
    const committed = JSON.parse(readFileSync(new URL('../../packages/server/asyncapi.json', import.meta.url), 'utf8')) as Json
    const made = JSON.parse(JSON.stringify(asyncApi)) as Json
    expect(committed).toEqual(made)
    expect(await getJson('/asyncapi.json')).toEqual(made)
  })

  test('it is valid by the schema of AsyncAPI 3.0', () => {
    const ajv = new Ajv({ strict: false, allErrors: true })
    addFormats.default(ajv)
    const validate = ajv.compile(asyncApiSpecs.schemasWithoutId['3.0.0'] as Json)
    const document = JSON.parse(JSON.stringify(asyncApi)) as Json
    validate(document)
    expect(validate.errors ?? []).toEqual([])
    delete document['info'].title
    expect(validate(document)).toBe(false)
  })

  test('every reference in it leads somewhere, and every schema is one of JSON Schema', () => {
    const refs = [...JSON.stringify(asyncApi).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!)
    expect(refs.length).toBeGreaterThan(30)
    for (const path of refs)
      expect(
        path.split('/').reduce<any>((at, key) => at?.[key], asyncApi),
        path
      ).toBeDefined()
    const ajv = new Ajv({ strict: false })
    for (const [name, schema] of Object.entries(asyncApi.components.schemas))
      expect([name, ajv.validateSchema(schema)]).toEqual([name, true])
  })
})

describe('OpenAPI', () => {
  test('the document is valid by the schema of OpenAPI 3.1, with every reference in it', async () => {
    const document = await getJson('/openapi.json')
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document))
    expect([valid, errors ?? [], validator.version]).toEqual([true, [], '3.1'])
    expect(await getJson('/docs/json')).toEqual(document)
    delete document['info'].title
    expect((await validator.validate(document)).valid).toBe(false)
  })
})

/** Nothing may be said that the document does not name: readers ignore it, but then nobody could know of it. */
const closed = (schema: any): any => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema as Json).map(([key, value]) => [key, closed(value)]))
  return schema.type === 'object' && schema.properties && !schema.additionalProperties
    ? { ...inner, additionalProperties: false }
    : inner
}

/** The validators of all messages and events, by `op` and by `type`. */
function validators() {
  const ajv = new Ajv({ strict: false, discriminator: false })
  const found = new Map<string, ValidateFunction>()
  for (const [name, schema] of Object.entries(asyncApi.components.schemas as Json)) {
    const first = schema.anyOf?.[0] ?? schema
    const key = first.properties?.op?.const ?? first.properties?.type?.const
    const side = name.replace(/^.*(Command|Notice|Event)$/, '$1')
    if (!key) continue
    found.set(`${side} ${key}`, ajv.compile(closed(schema)))
    if (side === 'Event')
      found.set(`Part ${key}`, ajv.compile({ ...closed(schema), required: ['topic', 'type', 'seq', 'published'] }))
  }
  return found
}
const known = validators()
const faultOf = (side: string, value: Json): string | undefined => {
  const validate = known.get(`${side} ${value['op'] ?? value['type']}`)
  if (!validate) return `there is no schema for ${JSON.stringify(value).slice(0, 200)}`
  return validate(value) ? undefined : `${JSON.stringify(validate.errors)} in ${JSON.stringify(value).slice(0, 600)}`
}
/** `Part` where a contract chose fields. */
const frameFaults = (frame: Json | Json[], event: 'Event' | 'Part' = 'Event'): string[] =>
  (Array.isArray(frame) ? frame : [frame])
    .map((each) => faultOf('op' in each ? 'Notice' : event, each))
    .filter((fault) => fault !== undefined)

const TOPICS = ['BTC-USDT', 'ETH-USDT', 'AAPL', 'MSFT'].flatMap((id) => [
  ...['trade', 'quote', 'ticker', 'book', 'halt', 'band', 'change', 'liquidity', 'gap'].map((kind) => `${kind}:${id}`),
  `candle:${id}:1m`,
  `status:${id}:trade`,
  `arbitration:${id}:trade`,
  `trade:${id}@kraken`
])
const COMMANDS = [
  { op: 'hello', version: 1, client: 'conformance/1', encoding: 'json' },
  {
    op: 'subscribe',
    id: 1,
    topics: [...TOPICS, 'breadth:all', 'provider:kraken', 'provider:coinbase', 'news:all', 'trade:NO-SUCH', 'x']
  },
  {
    op: 'subscribe',
    id: 'a',
    topics: ['trade:BTC-USDT'],
    resume: { 'trade:BTC-USDT': { epoch: 'gone', seq: 3 } },
    notices: false
  },
  { op: 'digest', id: 'd' },
  { op: 'ping', id: 2 },
  { op: 'pong' }
]

const CONTRACTS = [
  { op: 'subscribe', id: 1, topics: ['quote:BTC-USDT'], contract: { delivery: 'sampled', interval: 200, fields: 'lite' } },
  {
    op: 'subscribe',
    id: 2,
    topics: ['trade:BTC-USDT'],
    contract: { delivery: 'latest', fields: ['price', 'size'], maxAge: 5_000 }
  },
  { op: 'subscribe', id: 3, topics: ['ticker:BTC-USDT'], contract: { maxRate: 2 } },
  { op: 'digest' }
]

test('under contracts that choose fields, frames hold a part of an event and nothing else', async () => {
  for (const command of CONTRACTS) expect(faultOf('Command', command)).toBeUndefined()
  const faults: string[] = []
  const types = new Set<string>()
  let answers = 0
  const ws = new WebSocket(`${base.replace('http', 'ws')}/v1/ws`)
  ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Json | Json[]
    faults.push(...frameFaults(frame, 'Part'))
    if (Array.isArray(frame)) for (const each of frame) types.add(each['type'])
    else if (frame['op'] === 'subscribed') answers++
  })
  await new Promise((resolve) => ws.once('open', resolve))
  for (const command of CONTRACTS) ws.send(JSON.stringify(command))
  await until(
    'events under each',
    () => faults.length > 0 || (answers === 3 && ['quote', 'trade', 'ticker'].every((type) => types.has(type)))
  )
  ws.terminate()
  expect(faults).toEqual([])
})

test('every frame of a session, until the server ends it, is valid by the AsyncAPI document, and so is every command', async () => {
  for (const command of COMMANDS) expect(faultOf('Command', command)).toBeUndefined()
  const ops = new Set<string>()
  const types = new Map<string, number>()
  const faults: string[] = []
  const ws = new WebSocket(`${base.replace('http', 'ws')}/v1/ws`)
  let closedWith: number | undefined
  ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Json | Json[]
    faults.push(...frameFaults(frame))
    for (const each of Array.isArray(frame) ? frame : []) types.set(each['type'], (types.get(each['type']) ?? 0) + 1)
    if (!Array.isArray(frame)) ops.add(frame['op'])
  })
  ws.on('close', (code) => (closedWith = code))
  await new Promise((resolve) => ws.once('open', resolve))
  for (const command of COMMANDS) ws.send(JSON.stringify(command))
  for (const wrong of ['{', '{"op":"dance","id":9}', '{"op":"subscribe","topics":[]}']) ws.send(wrong)
  const wanted = ['trade', 'quote', 'ticker', 'book', 'candle', 'status', 'arbitration', 'provider', 'liquidity', 'change']
  // Once a fault is found nothing more is waited for.
  await until(
    'events of every kind of the demo',
    () => faults.length > 0 || (wanted.every((type) => types.has(type)) && (types.get('trade') ?? 0) > 50),
    25_000
  )
  expect(faults.slice(0, 3)).toEqual([])
  await until('a ping', () => ops.has('ping'))
  ws.send(JSON.stringify({ op: 'unsubscribe', id: 3, topics: TOPICS }))
  await until('its answer', () => ops.has('unsubscribed'))
  program.child.kill('SIGTERM')
  await until('the close', () => closedWith)
  expect(faults.slice(0, 3)).toEqual([])
  expect([...ops].sort()).toEqual(
    expect.arrayContaining(['digest', 'error', 'hello', 'ping', 'pong', 'shutdown', 'subscribed', 'unsubscribed'])
  )
}, 60_000)

test('a frame with a field too many, a wrong type or a missing field is found out', () => {
  const trade = {
    topic: 'trade:A',
    seq: 1,
    published: 2,
    type: 'trade',
    provider: 'x',
    instrument: 'A',
    time: 1,
    received: 1,
    price: 1,
    size: 1,
    side: 'buy'
  }
  expect(frameFaults([trade])).toEqual([])
  for (const wrong of [
    { ...trade, extra: 1 },
    { ...trade, price: '1' },
    { ...trade, side: 'long' },
    { ...trade, seq: undefined },
    { ...trade, type: 'deal' }
  ])
    expect(frameFaults([JSON.parse(JSON.stringify(wrong)) as Json])).toHaveLength(1)
})
