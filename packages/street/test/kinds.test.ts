/** Each venue of the street sends every kind that it has, and its adapter carries it all the way to the plant. */
import { topicName, type DataKind } from '@tickwire/protocol'
import { providers } from '@tickwire/server/providers/index.ts'
import { expect, test } from 'vitest'
import { VENUES } from '../src/venues.ts'
import { open, until } from './client.ts'
import { serve } from './serve.ts'

const CRYPTO: readonly DataKind[] = ['trade', 'quote', 'ticker', 'book', 'candle']
const KINDS: Record<string, { instrument: string; kinds: readonly DataKind[] }> = {
  binance: { instrument: 'BTC-USDT', kinds: CRYPTO },
  coinbase: { instrument: 'BTC-USD', kinds: CRYPTO },
  kraken: { instrument: 'BTC-USD', kinds: CRYPTO },
  alpaca: { instrument: 'SPY', kinds: ['trade', 'quote', 'ticker', 'candle'] },
  massive: { instrument: 'SPY', kinds: ['trade', 'quote', 'ticker', 'candle'] },
  finnhub: { instrument: 'SPY', kinds: ['trade', 'ticker'] }
}

test('none is forgotten', () => expect(Object.keys(KINDS)).toEqual(Object.keys(VENUES)))

// At once: closed minute bars come when the minute ends.
test.concurrent.each(Object.entries(KINDS))(
  '%s',
  async (provider, { instrument, kinds }) => {
    const { server } = await serve(provider)
    const client = await open(`${server.url.replace('http', 'ws')}/v1/ws`)
    const [interval] = providers[provider]!.streams ?? providers[provider]!.intervals
    const topics = kinds.map((kind) => topicName(kind, instrument, provider, kind === 'candle' ? interval : undefined))
    const isListed = async () => (await fetch(`${server.url}/v1/instruments/${instrument}`)).ok
    while (!(await isListed())) await new Promise((resolve) => setTimeout(resolve, 20))
    client.send({ op: 'subscribe', topics })
    const missing = () =>
      topics.filter((topic) => !client.texts.some((text) => text.includes(`"topic":"${topic}"`) && text.startsWith('[')))
    await until(() => missing().length === 0)
    client.socket.close()
  },
  120_000
)
