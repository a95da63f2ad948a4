/** Fyers, broker in India: its binary data socket, its order socket and its REST. https://myapi.fyers.in/docsv3 */
import type { Interval } from '@tickwire/protocol'
import { adapter, type Frame, type Meaning, type Outgoing, type Subscription } from './adapter.ts'
import { isOwn, LISTS, listsFrame, order, position } from './fyers.account.ts'
import { ackFrame, authFrame, modeFrame, readFrame, TYPE, type Packet } from './fyers.hsm.ts'
import { meant, messageOf } from './fyers.market.ts'
import { answer, bodyOf, depthOf, history, isDenied, RESOLUTIONS } from './fyers.rest.ts'
import { askAll, isLite, subscribe, tokens, unsubscribe, type Session } from './fyers.subscribe.ts'
import { identify } from './fyers.symbols.ts'
import { authorization, bearerOf, expiryOf, socketKey } from './fyers.token.ts'
import * as values from './values.ts'

const ORDERS = 'orders'
const SUBSCRIBING = 11_011
type Control = Extract<Packet, { type: 'control' }>

export const fyers = adapter<Session>({
  provider: 'fyers',
  title: 'Fyers',
  wsUrl: 'wss://socket.fyers.in/hsm/v1-5/prod',
  restUrl: 'https://api-t1.fyers.in',
  kinds: ['trade', 'quote', 'ticker', 'book', 'index', 'candle', 'order', 'position'],
  whole: ['order', 'position'],
  intervals: Object.keys(RESOLUTIONS) as Interval[],
  streams: [],
  needs: ['key'],
  about: {
    docs: 'https://myapi.fyers.in/docsv3',
    coverage: 'NSE, BSE and MCX in real time: shares, futures, options, currencies, commodities, indices; no single trades',
    redistribution: 'forbidden',
    cost: 'free with a trading account'
  },
  limits: {
    subscriptionsPerConnection: 5_000, // topics; the limit was 200 before August 2025
    connections: 1, // as they advise; so a rotation breaks before it makes
    framesPerSecond: 50, // acks are among them
    attempts: { count: 5, per: 60_000 },
    requestsPerSecond: 10,
    // Three breaches of the minute's limit shut the account out for the day.
    requests: [
      { count: 180, per: 60_000 },
      { count: 100_000, per: 86_400_000 }
    ]
  },
  ping: { every: 10_000, frame: 'ping' },
  staleAfter: 90_000, // it may stall while connected
  calendar: 'XNSE',
  expires: expiryOf,
  binary: true,
  identify,
  history,
  books: 'pieced', // changes of single fields, without a number
  audit: depthOf,
  route: ({ kind }) => (isOwn(kind) ? ORDERS : ''),
  dial: (wsUrl, _access, route) => (route === ORDERS ? new URL('/trade/v3', wsUrl).href : wsUrl),
  upgrade: authorization,

  open: (access, route = '') => ({
    access,
    route,
    authenticated: false,
    wants: new Map(),
    symbols: new Map(),
    topics: new Map(),
    volumes: new Map(),
    tokens: new Map(),
    asking: new Set(),
    asked: 0,
    sent: [],
    refusals: [],
    ackEvery: undefined,
    unacked: 0
  }),
  // Whoever holds no token of theirs shows what he has, and is told so.
  greet: (session) =>
    session.route === ORDERS
      ? []
      : [authFrame(socketKey(session.access) ?? bearerOf(session.access).slice(0, 1_000)), modeFrame(isLite(session))],

  isAdmitted: ({ authenticated, route }) => authenticated || route === ORDERS,
  subscribe: (wanted, session) => (session.route === ORDERS ? askOwn(wanted, session) : subscribe(wanted, session)),
  unsubscribe(unwanted, session) {
    if (session.route !== ORDERS) return unsubscribe(unwanted, session)
    const kinds = unwanted.map(({ kind }) => kind).filter(isOwn)
    session.sent.push([])
    return [listsFrame(kinds, false)]
  },

  decode(frame, received, session, need) {
    try {
      if (need) {
        const body = bodyOf(values.textOf(frame), need)
        return need.purpose === 'login' ? tokens(body, need, session) : answer(body, received, need)
      }
      const meanings = isText(frame) ? spoken(values.textOf(frame), received, session) : packed(frame, received, session)
      return session.refusals.length === 0 ? meanings : [...session.refusals.splice(0), ...meanings]
    } catch {
      return isText(frame) ? values.unreadable(frame) : [values.refused('a frame cut short, or of an unknown shape')]
    }
  }
})

/** A binary frame begins with its own length. */
function isText(frame: Frame): frame is string {
  if (typeof frame === 'string') return true
  const [high = 0, low = 0] = frame
  return (high << 8) + low !== frame.length - 2 && /[{["a-z]/.test(String.fromCharCode(high))
}

// ---- the data socket ---------------------------------------------------------------------------------------------

function packed(bytes: Uint8Array, received: number, session: Session): readonly Meaning[] {
  const packet = readFrame(bytes, session.ackEvery !== 0)
  if (packet.type === 'control') return controlled(packet, received, session)
  const meanings: Meaning[] = []
  for (const entry of packet.entries) {
    const message = messageOf(entry, session)
    if (typeof message === 'string') meanings.push(values.refused(message))
    else meanings.push(...meant(message, received, session))
  }
  if (packet.number === undefined || !session.ackEvery || ++session.unacked < session.ackEvery) return meanings
  session.unacked = 0
  return [...meanings, { type: 'reply', frame: ackFrame(packet.number) }]
}

/** `K`: done. The rest of its answers is told by number, as its own clients do. */
function controlled({ of, status, number }: Control, received: number, session: Session): readonly Meaning[] {
  const done = status === 'K'
  switch (of) {
    case TYPE.auth:
      session.ackEvery = number
      return admitted(done, 'authentication failed (11001)', received, session)
    case TYPE.subscribe:
      return confirmed(done, 'subscription failed (11011)', session)
    case TYPE.unsubscribe:
      return done ? [] : [{ type: 'reject', reason: 'unsubscribing failed (11012)' }]
    case TYPE.pause:
      return done ? [] : [{ type: 'reject', reason: 'pausing failed (11031)' }]
    case TYPE.resume:
      return done ? [] : [{ type: 'reject', reason: 'resuming failed (11032)' }]
    case TYPE.mode:
      return done ? [] : [{ type: 'reject', reason: 'setting the mode failed (12001)' }]
    // 0001 0b answers a ping; anything new must be ignored.
    default:
      return []
  }
}

function admitted(done: boolean, failure: string, received: number, session: Session): readonly Meaning[] {
  const { access } = session
  if ((expiryOf(access) ?? Infinity) <= received) return [{ type: 'reject', reason: 'Token is expired (-99)', denied: true }]
  const reason = socketKey(access) === undefined ? `${failure}: the access token holds no hsm_key` : failure
  if (!done) return [{ type: 'reject', reason, denied: true }]
  session.authenticated = true
  return askAll(session)
}

function confirmed(done: boolean, reason: string, session: Session): readonly Meaning[] {
  const asked = session.sent.shift() ?? []
  if (done) return asked.map(({ kind, symbol }) => ({ type: 'ack', kind, symbol }))
  if (asked.length === 0) return [{ type: 'reject', reason }]
  return asked.map(({ kind, symbol }) => ({ type: 'reject', kind, symbol, reason }))
}

// ---- text: the order socket, and messages as the provider's clients pass them on ------------------------------------

type Row = Record<string, unknown>

function askOwn(wanted: readonly Subscription[], session: Session): readonly Outgoing[] {
  const kinds = wanted.map(({ kind }) => kind).filter(isOwn)
  session.sent.push(wanted)
  const frames: Outgoing[] = [listsFrame(kinds, true)]
  // The socket tells changes alone.
  const headers = authorization(session.access)
  const need = { type: 'need', purpose: 'snapshot', path: '/api/v3/positions', headers, tolerate: true } as const
  return kinds.includes('position') ? [...frames, { poll: 'positions', need, every: Infinity }] : frames
}

function spoken(text: string, received: number, session: Session): readonly Meaning[] {
  if (text === 'pong' || text === 'ping') return []
  const m: unknown = JSON.parse(text)
  return Array.isArray(m) ? values.each(m, (one) => told(one, received, session)) : told(m, received, session)
}

function told(m: unknown, received: number, session: Session): readonly Meaning[] {
  if (!values.isRecord(m)) return [values.refused('a frame of an unknown shape')]
  // {"orders":{"client_id":"XP0001","id":"23121800292158","org_ord_status":4,"qty":1,"qty_remaining":1,"tran_side":1,...},"s":"ok"}
  if (m[LISTS.order] !== undefined) return own(m[LISTS.order], (row) => order(row, received))
  // {"positions":{"symbol":"NSE:SBIN-EQ","net_qty":5,"net_avg":606.4,"pl_realized":0,...},"s":"ok"}
  if (m[LISTS.position] !== undefined) return own(m[LISTS.position], (row) => position(row, received))
  if (m.s === 'error' || m.error !== undefined || m.invalid_symbols !== undefined) return failed(m, session)
  // {"ltp":373.8,"vol_traded_today":1385,...,"type":"sf","symbol":"MCX:CRUDEOIL25JAN5900CE","ch":56.4,"chp":17.7694}
  if (typeof m.symbol === 'string') return meant(m, received, session)
  return m.s === 'ok' ? agreed(m, received, session) : [values.refused('a frame of an unknown shape')]
}

/** One row, or several. */
const own = (rows: unknown, mean: (row: Row) => Meaning): readonly Meaning[] =>
  (Array.isArray(rows) ? rows : [rows]).map((row: unknown) =>
    values.isRecord(row) ? mean(row) : values.refused('a frame of an unknown shape')
  )

/** {"type":"cn","code":200,"message":"Authentication done","s":"ok"}, `sub` "Subscribed"; {"code":1605,"message":"Successfully subscribed","s":"ok"} */
function agreed(m: Row, received: number, session: Session): readonly Meaning[] {
  if (m.type === 'cn') return admitted(true, '', received, session)
  return m.type === 'sub' || m.code === 1605 ? confirmed(true, '', session) : []
}

/** {"type":"cn","code":-99,"message":"Token is expired","s":"error"}; {"invalid_symbols":["NSE:NO-EQ"]}; {"error":"Connection timed out"} */
function failed(m: Row, session: Session): readonly Meaning[] {
  const symbols = Array.isArray(m.invalid_symbols) ? m.invalid_symbols.filter((one) => typeof one === 'string') : []
  if (symbols.length > 0) return symbols.map((symbol) => values.rejected(symbol, 'invalid symbol (-300)'))
  const reason = `${values.say(m.message ?? m.error)}${m.code === undefined ? '' : ` (${values.say(m.code)})`}`
  if (isDenied(m.code, reason)) return [{ type: 'reject', reason, denied: true }]
  return m.code === SUBSCRIBING ? confirmed(false, reason, session) : [{ type: 'reject', reason }]
}
