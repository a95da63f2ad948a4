/** The user's own account at Alpaca: figures and positions by REST, what becomes of orders by the trading stream. */
import type { OrderUpdate } from '@tickwire/protocol'
import type { Access, Meaning, Outgoing, Poll } from './adapter.ts'
import { timeOf } from './alpaca.codec.ts'
import type { Row, Session } from './alpaca.session.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'

/** Keys of paper accounts begin with PK, those of live ones with AK. */
export const tradingUrl = ({ key = '', options }: Access): string =>
  (options?.tradingUrl ?? (key.startsWith('AK') ? 'https://api.alpaca.markets' : 'https://paper-api.alpaca.markets')).replace(
    /\/$/,
    ''
  )

export const ACCOUNT_KINDS: ReadonlySet<string> = new Set(['position', 'account', 'order'])
const EVERY = { account: 30_000, positions: 15_000 }

const poll = (name: 'account' | 'positions', access: Access): Poll => ({
  poll: name,
  every: EVERY[name],
  need: { type: 'need', purpose: 'snapshot', note: name, path: `${tradingUrl(access)}/v2/${name}`, tolerate: true }
})

const wants = ({ wanted }: Session, kind: string): boolean => wanted.has(`${kind} *`)

/** The account is asked first: it names itself, and its positions do not name it. */
export const accountPolls = ({ access }: Session): readonly Outgoing[] =>
  access.account === true ? [poll('account', access)] : []
export function endedPolls(session: Session): readonly Outgoing[] {
  const names = ['account', 'positions'] as const
  const isOver = { account: ![...ACCOUNT_KINDS].some((kind) => wants(session, kind)), positions: !wants(session, 'position') }
  return names.filter((name) => isOver[name]).map((name) => ({ poll: name, every: EVERY[name] }))
}

/** {"id":"e6fe16f3-...","account_number":"010203ABCD","status":"ACTIVE","currency":"USD","cash":"-23140.2","equity":"103820.56","buying_power":"262113.632",...} */
export function accountOf(m: Row, received: number, session: Session): readonly Meaning[] {
  const { account_number: number, id, currency, ...rest } = m
  const account = typeof number === 'string' && number !== '' ? number : id
  if (typeof account !== 'string' || account === '') return [values.refused('account: no number')]
  const isFirst = session.account === undefined
  session.account = account
  const figures = Object.fromEntries(
    Object.entries(rest)
      .map(([name, figure]) => [name, values.number(figure)] as const)
      .filter(([, figure]) => Number.isFinite(figure))
  )
  const event: Meaning = { type: 'account', symbol: '*', time: received, account, values: figures }
  if (typeof currency === 'string') event.currency = currency
  const next = isFirst && wants(session, 'position') ? [{ type: 'reply', frame: poll('positions', session.access) } as const] : []
  return [event, ...next, ...listen(session)]
}

/** [{"symbol":"AAPL","asset_class":"us_equity","avg_entry_price":"100.0","qty":"5","side":"long","market_value":"600.0","unrealized_pl":"100.0","current_price":"120.0",...}] */
export function positionsOf(rows: readonly Row[], received: number, session: Session): readonly Meaning[] {
  const account = session.account ?? 'unknown'
  const held = values.each(rows.filter(values.isRecord), (row) => [position(row, received, account)])
  const symbols = new Set(held.flatMap((one) => (one.type === 'position' ? [one.symbol] : [])))
  const gone = [...session.held].filter((symbol) => !symbols.has(symbol))
  session.held = symbols
  return [
    { type: 'ack', kind: 'position', symbol: '*' },
    ...held,
    ...gone.map((symbol) => ({ type: 'position', symbol, time: received, account, quantity: 0 }) as const)
  ]
}

function position(row: Row, time: number, account: string): Meaning {
  const { symbol, side, qty, avg_entry_price: average, current_price: price, market_value: value, unrealized_pl: open } = row
  const size = values.number(qty)
  if (typeof symbol !== 'string' || symbol === '' || !Number.isFinite(size))
    return values.refused('position: no symbol or no quantity')
  const quantity = side === 'short' ? -Math.abs(size) : size
  const event: Extract<Meaning, { type: 'position' }> = { type: 'position', symbol, time, account, quantity, currency: 'USD' }
  const parts = { averagePrice: average, marketPrice: price, marketValue: value, unrealised: open }
  for (const [name, part] of Object.entries(parts)) {
    const figure = values.number(part)
    if (Number.isFinite(figure)) event[name as keyof typeof parts] = figure
  }
  return event
}

// ---- the trading stream ------------------------------------------------------------------------------------------

export const login = ({ access: { key, secret } }: Session): string =>
  JSON.stringify({ action: 'authenticate', data: { key_id: key, secret_key: secret } })
export const LISTEN = '{"action":"listen","data":{"streams":["trade_updates"]}}'

/** Orders name no account either, so they are listened to once it is known. */
function listen(session: Session): readonly Meaning[] {
  if (!session.authenticated || session.account === undefined || session.listening) return []
  session.listening = true
  return [{ type: 'reply', frame: LISTEN }]
}

export function traded({ stream, data }: Row, received: number, session: Session): readonly Meaning[] {
  if (typeof stream !== 'string' || !values.isRecord(data)) return [values.refused('a frame of an unknown shape')]
  switch (stream) {
    // {"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}
    case 'authorization':
      if (data.status !== 'authorized') return [{ type: 'reject', reason: 'trading: not authorised', denied: true }]
      session.authenticated = true
      return listen(session)
    // {"stream":"listening","data":{"streams":["trade_updates"]}}
    case 'listening':
      return [{ type: 'ack', kind: 'order', symbol: '*' }]
    // {"stream":"trade_updates","data":{"event":"fill","price":"179.08","qty":"100","timestamp":"2018-02-28T20:38:22Z","order":{"id":"7b7653c4-...","symbol":"TSLA","side":"buy","qty":"100","filled_qty":"100","filled_avg_price":"179.08","status":"filled",...}}}
    case 'trade_updates':
      return [order(data, received, session)]
    default:
      return []
  }
}

const STATES: Readonly<Record<string, OrderUpdate['state']>> = {
  new: 'open',
  accepted: 'pending',
  pending_new: 'pending',
  accepted_for_bidding: 'pending',
  held: 'pending',
  pending_cancel: 'open',
  pending_replace: 'open',
  done_for_day: 'open',
  partially_filled: 'partial',
  filled: 'filled',
  canceled: 'cancelled',
  expired: 'cancelled',
  replaced: 'cancelled',
  rejected: 'rejected'
}

function order({ event: what, timestamp, order: o }: Row, received: number, session: Session): Meaning {
  if (!values.isRecord(o) || typeof o.id !== 'string' || typeof o.symbol !== 'string')
    return values.refused('order: no id or no symbol')
  const [quantity, filled] = [values.number(o.qty ?? o.filled_qty), values.number(o.filled_qty ?? 0)]
  if (!values.isSize(quantity) || !values.isSize(filled)) return values.refused('order: impossible quantity')
  const status = typeof o.status === 'string' && Object.hasOwn(STATES, o.status) ? STATES[o.status]! : 'unknown'
  const at = timeOf(timestamp)
  const [price, average] = [values.number(o.limit_price), values.number(o.filled_avg_price)]
  return {
    type: 'order',
    symbol: o.symbol,
    time: isTime(at) ? at : received,
    account: session.account ?? 'unknown',
    id: o.id,
    state: status,
    side: o.side === 'buy' || o.side === 'sell' ? o.side : 'unknown',
    quantity,
    filled,
    ...(values.isPrice(price) && { price }),
    ...(values.isPrice(average) && { averagePrice: average }),
    ...(typeof what === 'string' && { reason: what })
  }
}
