/** When a decision of the arbiter is a failover to the client that hears of it. */
import type { Published, Status } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { createReigns } from '../src/reigns.ts'

let seq = 0
const status = (cause: Status['cause'], leader?: string, previous?: string): Published<Status> => ({
  type: 'status',
  topic: 'status:BTC-USDT:trade',
  instrument: 'BTC-USDT',
  provider: leader ?? 'kraken',
  kind: 'trade',
  standbys: [],
  cause,
  reason: `${leader} leads`,
  seq: ++seq,
  time: 1,
  received: 1,
  published: 1,
  ...(leader === undefined ? {} : { leader }),
  ...(previous === undefined ? {} : { previous })
})
/** The failovers, as `previous → leader`. */
function failovers(...heard: Published<Status>[]): string[] {
  const reigns = createReigns()
  return heard.flatMap((each) => {
    const failover = reigns.heard(each)
    return failover ? [`${failover.previous} → ${failover.leader}`] : []
  })
}

test('[S4-31] a leader that falls, is found wrong or gives way is a failover, from the one that was heard of', () => {
  const rest = [status('silence', 'coinbase', 'kraken'), status('failback', 'kraken', 'coinbase')]
  expect(failovers(status('first', 'kraken'), ...rest)).toEqual(['kraken → coinbase', 'coinbase → kraken'])
})

test('[S4-31] what is told with a subscription is how things stand: a failover of an hour ago is none', () => {
  expect(failovers(status('closed', 'coinbase', 'kraken'))).toEqual([])
  expect(failovers(status('closed', 'coinbase', 'kraken'), status('failback', 'kraken', 'coinbase'))).toEqual([
    'coinbase → kraken'
  ])
})

test('[S4-31] the first choice among those that come in one after the other is no failover', () => {
  expect(failovers(status('first', 'coinbase'), status('first', 'binance', 'coinbase'))).toEqual([])
})

test('[S4-31] after an outage another leader is one, and the same is none', () => {
  const outage = [status('first', 'kraken'), status('outage', undefined, 'kraken')]
  expect(failovers(...outage, status('first', 'coinbase', 'kraken'))).toEqual(['kraken → coinbase'])
  expect(failovers(...outage, status('first', 'kraken', 'kraken'))).toEqual([])
})

test('[S4-31] who is led anew after nobody asked for it has no failover', () => {
  const gone = [status('first', 'kraken'), status('unsubscribed', undefined, 'kraken')]
  expect(failovers(...gone, status('first', 'coinbase', 'kraken'))).toEqual([])
  expect(failovers(...gone, status('closed', 'coinbase', 'kraken'))).toEqual([])
})
