/** What its source lets nobody else be told is refused by name on every endpoint of the Ziggy protocol, and what may be told is. */
import { topicName } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { charts } from '../../src/dialects/ziggy.charts.ts'
import { market } from '../../src/dialects/ziggy.market.ts'
import { overview } from '../../src/dialects/ziggy.overview.ts'
import { connect, createStage, NOW, stampOf } from './stage.ts'

/** AAPL may not be told, SPY may. */
function setup() {
  const stage = createStage()
  stage.refusals.set(topicName('trade', 'AAPL'), 'FORBIDDEN')
  stage.refusals.set(topicName('candle', 'AAPL', undefined, '1m'), 'FORBIDDEN')
  for (const instrument of ['AAPL', 'SPY'])
    stage.publish({ ...stampOf('trade', instrument), id: '1', price: 7, size: 1 } as never)
  return stage
}
const refused = (symbol: string) =>
  expect.objectContaining({ type: 'error', code: 'NOT_PERMITTED', data: expect.objectContaining({ symbols: [symbol] }) })

test('a snapshot of the market says which symbol is refused, and gives the others', () => {
  const client = connect(setup(), market)
  client.send({ action: 'get_snapshot', symbols: ['AAPL', 'SPY'] })
  const said = client.taken()
  expect(said).toContainEqual(refused('AAPL'))
  expect(said).toContainEqual(
    expect.objectContaining({ type: 'market_snapshot', data: { quotes: [expect.objectContaining({ symbol: 'SPY' })] } })
  )
})

test('a chart is refused as forbidden, and not as one of which nobody has bars', () => {
  const client = connect(setup(), charts)
  client.send({ action: 'get_snapshot', symbols: ['AAPL'], timeframes: ['1m'] })
  expect(client.taken()).toContainEqual(refused('AAPL'))
})

test('GET /market/overview names what is refused beside the rest, and answers 403 where there is no rest', async () => {
  const { desk } = setup()
  const ask = async (symbols: string) =>
    overview({ method: 'GET', path: '/market/overview', query: { symbols }, body: undefined }, desk, NOW)
  expect(await ask('AAPL,SPY')).toMatchObject({
    status: 200,
    body: { symbols: { SPY: { last: 7 } }, errors: { AAPL: expect.any(String) } }
  })
  expect(await ask('AAPL')).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } })
})
