/** The user's own account at Interactive Brokers: what he holds, and its figures. */
import type { Meaning } from './adapter.ts'
import { symbolOf } from './interactive-brokers.contracts.ts'
import type { Session } from './interactive-brokers.state.ts'
import * as values from './values.ts'

/** `["DU123",{"conId":265598,"symbol":"AAPL","secType":"STK","currency":"USD",...},100,150.25]`; 0 of it: it was sold. */
export function position([account, contract, held, cost]: readonly unknown[], received: number): readonly Meaning[] {
  const symbol = values.isRecord(contract) ? symbolOf(contract) : undefined
  const quantity = values.number(held)
  if (symbol === undefined || typeof account !== 'string' || !values.isRecord(contract))
    return [values.refused('position: no account or no symbol')]
  if (!Number.isFinite(quantity) || Math.abs(quantity) > 1e18) return [values.refused('position: impossible quantity')]
  // What it cost is told for the whole contract, commission included.
  const multiplier = values.number(contract.multiplier)
  const averagePrice = values.number(cost) / (multiplier > 0 ? multiplier : 1)
  return [
    {
      type: 'position',
      symbol,
      time: received,
      account,
      quantity,
      ...(Math.abs(averagePrice) <= 1e15 && quantity !== 0 ? { averagePrice } : {}),
      ...(typeof contract.currency === 'string' && contract.currency !== '' ? { currency: contract.currency } : {})
    }
  ]
}

/** `["DU123","NetLiquidation","1000000.00","USD"]`, a figure at a time; told together once all have come, then as they change. */
export function figure(
  [account, tag, written, currency]: readonly unknown[],
  received: number,
  session: Session
): readonly Meaning[] {
  if (typeof account !== 'string' || typeof tag !== 'string') return [values.refused('account: no account or no tag')]
  const value = values.number(written)
  // Some are words, as the type of the account.
  if (!Number.isFinite(value) || value > 1.7e308) return []
  const key = `${account} ${typeof currency === 'string' ? currency : ''}`
  const figures = session.figures.get(key) ?? {}
  figures[tag] = value
  session.figures.set(key, figures)
  return session.summed ? [summary(key, figures, received)] : []
}

export function summed(received: number, session: Session): readonly Meaning[] {
  session.summed = true
  return Array.from(session.figures, ([key, figures]) => summary(key, figures, received))
}

function summary(key: string, figures: Readonly<Record<string, number>>, time: number): Meaning {
  const [account = '', currency = ''] = key.split(' ')
  return { type: 'account', symbol: '*', time, account, ...(currency === '' ? {} : { currency }), values: { ...figures } }
}
