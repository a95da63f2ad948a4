/** The REST of /api/websocket: a set of subscriptions for each user, held upstream once each and answered from the last values. */
import type { ErrorCode } from '@tickwire/protocol'
import { datastreamAnswers } from './answers.ts'
import { datastreamAsks } from './asks.ts'
import type { Desk, HttpAnswer, HttpRequest, HttpRoute, Hands, Keys } from './dialect.ts'
import { askSchema, complaint, dataType, oneSchema, refusedAll, statusOf, trouble } from './datastream.messages.ts'
import type { Refused } from './datastream.messages.ts'
import { refusedBy, report, success, understand, type Standing } from './datastream.subscriptions.ts'
import { find } from './datastream.symbols.ts'
import { DATA_TYPES, picturesOf, topicsOf, updateOf, type DataType, type Update } from './datastream.updates.ts'

const ok = (body: object): HttpAnswer => ({ status: 200, body })
const bad = (code: ErrorCode, message: string, errors: readonly Refused[] = []): HttpAnswer => ({
  status: statusOf(code),
  body: trouble(code, message, errors)
})

export const keys: Keys = {
  headers: [],
  query: [],
  refusal: (sent) => bad('UNAUTHORIZED', sent ? 'the access token is not valid' : 'an access token is required'),
  handshake: 'may'
}

/** Held by who connected; a subscription connects as well. */
const CONNECTED = 'connected'
const keyOf = (type: DataType, symbol: string): string => `${type} ${symbol}`

function held(hands: Hands): { type: DataType; symbol: string }[] {
  return hands.keys().flatMap((key) => {
    const type = DATA_TYPES.find((each) => key.startsWith(`${each} `))
    return type ? [{ type, symbol: key.slice(type.length + 1) }] : []
  })
}

function valueOf(desk: Desk, type: DataType, symbol: string, lite = false): Update | undefined {
  const found = find(desk, symbol)
  return found.ok ? updateOf(type, symbol, picturesOf(desk, topicsOf(type, found.instrument)), lite) : undefined
}

function status(desk: Desk, hands: Hands): HttpAnswer {
  const standings = held(hands).map(({ type, symbol }): Standing => ({
    type,
    symbol,
    has: valueOf(desk, type, symbol) !== undefined
  }))
  return ok({ status: 'success', data: report(hands.keys().includes(CONNECTED), standings) })
}

function connect(desk: Desk, hands: Hands): HttpAnswer {
  hands.hold(CONNECTED, [])
  return status(desk, hands)
}

function disconnect(hands: Hands): HttpAnswer {
  for (const key of hands.keys()) hands.letGo(key)
  return ok({ status: 'success', message: 'Disconnected' })
}

function subscribe({ query }: HttpRequest, desk: Desk, hands: Hands): HttpAnswer {
  const parsed = askSchema.safeParse(query)
  if (!parsed.success) return bad('BAD_MESSAGE', complaint(parsed.error))
  const { data_type } = parsed.data
  const { wanted, refused } = understand(desk, parsed.data)
  const taken: string[] = []
  hands.hold(CONNECTED, [])
  for (const { symbol, topics } of wanted) {
    const outcome = hands.hold(keyOf(data_type, symbol), topics)
    if (outcome.held) taken.push(symbol)
    else refused.push(refusedBy(symbol, outcome.refusals))
  }
  if (taken.length > 0) return ok(success('Subscribed to', data_type, taken, refused))
  const told = refusedAll(refused)
  return { status: statusOf(told.code), body: told }
}

function unsubscribe({ query }: HttpRequest, hands: Hands): HttpAnswer {
  const parsed = askSchema.safeParse(query)
  if (!parsed.success) return bad('BAD_MESSAGE', complaint(parsed.error))
  const { symbols, data_type } = parsed.data
  const freed = symbols.filter((symbol) => hands.letGo(keyOf(data_type, symbol)))
  if (freed.length > 0) return ok(success('Unsubscribed from', data_type, freed))
  return bad('NOT_FOUND', `no subscription to ${symbols.join(', ')} as ${data_type}`)
}

const lastPart = (path: string): string => path.slice(path.indexOf('/', '/api/websocket/'.length) + 1)

function allData({ path }: HttpRequest, desk: Desk, hands: Hands): HttpAnswer {
  const parsed = dataType.safeParse(lastPart(path))
  if (!parsed.success) return bad('NOT_FOUND', `data_type: ${parsed.error.issues[0]?.message ?? ''}`)
  const type = parsed.data
  const rows = held(hands).flatMap(({ type: mine, symbol }) => {
    const value = mine === type ? valueOf(desk, type, symbol) : undefined
    return value ? [[symbol, value] as const] : []
  })
  return ok({ status: 'success', data_type: type, data: Object.fromEntries(rows) })
}

function symbolData({ path, query }: HttpRequest, desk: Desk, hands: Hands): HttpAnswer {
  const parsed = oneSchema.safeParse({ ...query, symbol: lastPart(path) })
  if (!parsed.success) return bad('BAD_MESSAGE', complaint(parsed.error))
  const { symbol, data_type, lite } = parsed.data
  if (!hands.keys().includes(keyOf(data_type, symbol)))
    return bad('NOT_FOUND', `${symbol} is not subscribed as ${data_type}; POST /api/websocket/subscribe first`)
  return ok({ status: 'success', symbol, data: valueOf(desk, data_type, symbol, lite) ?? null })
}

/** On the street there is no gateway, and nothing could be held. */
const handed =
  (answer: (request: HttpRequest, desk: Desk, hands: Hands) => HttpAnswer): HttpRoute['answer'] =>
  (request, desk, _now, hands) => {
    const [field] = Object.keys(request.body ?? {})
    if (field !== undefined) return bad('BAD_MESSAGE', `${field}: not known in a body; what is asked stands in the address`)
    return hands ? answer(request, desk, hands) : bad('UNAVAILABLE', 'there is nothing here that could hold a subscription')
  }

export const routes: readonly HttpRoute[] = [
  {
    route: 'POST /api/websocket/connect',
    answer: handed((_request, desk, hands) => connect(desk, hands)),
    answers: datastreamAnswers.changed
  },
  {
    route: 'POST /api/websocket/disconnect',
    answer: handed((_request, _desk, hands) => disconnect(hands)),
    answers: datastreamAnswers.changed
  },
  {
    route: 'POST /api/websocket/subscribe',
    answer: handed(subscribe),
    answers: datastreamAnswers.changed,
    asks: datastreamAsks.subscribe
  },
  {
    route: 'POST /api/websocket/unsubscribe',
    answer: handed((request, _desk, hands) => unsubscribe(request, hands)),
    answers: datastreamAnswers.changed,
    asks: datastreamAsks.unsubscribe
  },
  {
    route: 'GET /api/websocket/status',
    answer: handed((_request, desk, hands) => status(desk, hands)),
    answers: datastreamAnswers.status
  },
  { route: 'GET /api/websocket/data/*', answer: handed(allData), answers: datastreamAnswers.data, asks: datastreamAsks.data },
  {
    route: 'GET /api/websocket/symbol/*',
    answer: handed(symbolData),
    answers: datastreamAnswers.symbol,
    asks: datastreamAsks.symbol
  }
]
