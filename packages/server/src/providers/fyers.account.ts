/** The order socket and the list of positions: what became of the user's own orders, and what he holds. */
import type { OrderUpdate, Side } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import { isTime, zoned } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

/** The socket's lists of events, by the kind that is asked for. */
export const LISTS = { order: 'orders', position: 'positions' } as const
export const isOwn = (kind: string): kind is keyof typeof LISTS => kind in LISTS

/** `{"T":"SUB_ORD","SLIST":["orders"],"SUB_T":1}`; -1 ends it. */
export const listsFrame = (kinds: readonly (keyof typeof LISTS)[], on: boolean): string =>
  JSON.stringify({ T: 'SUB_ORD', SLIST: kinds.map((kind) => LISTS[kind]), SUB_T: on ? 1 : -1 })

/** 4 is on its way to the exchange, 6 rests there; 3 is not in use. */
const STATES: Readonly<Record<number, OrderUpdate['state']>> = {
  1: 'cancelled',
  2: 'filled',
  4: 'pending',
  5: 'rejected',
  6: 'open',
  7: 'cancelled'
}
const EXPIRED = 7

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
const side = (value: unknown): Side => (value === 1 ? 'buy' : value === -1 ? 'sell' : 'unknown')
const amount = (value: unknown): number | undefined => {
  const n = values.number(value)
  return Math.abs(n) <= 1e15 ? n : undefined
}
const price = (value: unknown): number | undefined => {
  const n = values.number(value)
  return values.isPrice(n) ? n : undefined
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
/** Seconds since 1970, or `18-Dec-2023 13:51:30` on a clock in India. */
function timeOf(epoch: unknown, written: unknown): number | undefined {
  const ms = values.number(epoch) * 1000
  if (isTime(ms)) return ms
  const [, day = '', month = '', year = '', time = ''] =
    /^(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d:\d\d:\d\d)$/.exec(text(written)) ?? []
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0')
  const at = zoned(`${year}-${number}-${day} ${time}`, 'Asia/Kolkata')
  return isTime(at) ? at : undefined
}

/** The socket's own names, and those of the provider's clients. */
export function order(m: Row, received: number): Meaning {
  const { symbol } = m
  const id = text(m.id)
  if (typeof symbol !== 'string' || symbol === '' || id === '') return values.refused('order: no symbol or no id')
  const quantity = values.number(m.qty)
  const remaining = values.number(m.qty_remaining ?? m.remainingQuantity)
  const told = values.number(m.qty_filled ?? m.filledQty)
  const status = values.number(m.org_ord_status ?? m.status)
  const filled = values.isSize(told)
    ? told
    : status === 2
      ? quantity
      : remaining <= quantity && status !== 1
        ? quantity - remaining
        : 0
  if (!values.isSize(quantity) || !values.isSize(filled)) return values.refused('order: impossible quantity')
  const state = STATES[status] ?? 'unknown'
  const event: Extract<Meaning, { type: 'order' }> = {
    type: 'order',
    symbol,
    time: timeOf(m.update_time_epoch_oms ?? m.time_epoch_oms, m.time_oms ?? m.orderDateTime) ?? received,
    account: text(m.client_id ?? m.clientId),
    id,
    state: state === 'open' && filled > 0 ? 'partial' : state,
    side: side(m.tran_side ?? m.side),
    quantity,
    filled
  }
  const limit = price(m.price_limit ?? m.limitPrice)
  const averagePrice = price(m.price_traded ?? m.tradedPrice)
  const reason = text(m.oms_msg ?? m.message ?? m.status_msg) || (status === EXPIRED ? 'expired' : '')
  return {
    ...event,
    ...(limit === undefined ? {} : { price: limit }),
    ...(averagePrice === undefined ? {} : { averagePrice }),
    ...(reason === '' ? {} : { reason })
  }
}

export function position(m: Row, received: number): Meaning {
  const { symbol } = m
  const quantity = amount(m.net_qty ?? m.netQty)
  if (typeof symbol !== 'string' || symbol === '' || quantity === undefined)
    return values.refused('position: no symbol or no quantity')
  const event: Extract<Meaning, { type: 'position' }> = {
    type: 'position',
    symbol,
    time: received,
    account: text(m.client_id ?? m.clientId),
    quantity,
    currency: 'INR'
  }
  const averagePrice = price(m.net_avg ?? m.netAvg)
  const marketPrice = price(m.ltp)
  const unrealised = amount(m.pl_unrealized ?? m.unrealized_profit)
  const realised = amount(m.pl_realized ?? m.realized_profit)
  if (averagePrice !== undefined) event.averagePrice = averagePrice
  if (marketPrice !== undefined) event.marketPrice = marketPrice
  if (unrealised !== undefined) event.unrealised = unrealised
  if (realised !== undefined) event.realised = realised
  return event
}
