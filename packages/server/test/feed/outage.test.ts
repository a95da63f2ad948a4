import { expect, test } from 'vitest'
import { isOutage } from '../../src/feed/reports.ts'

/** Who is asked for what, and who of them delivers. */
const hub = (carried: Record<string, readonly string[]>, delivering: readonly string[]) =>
  ({
    providers: new Map(Object.keys(carried).map((name) => [name, { pool: { delivers: () => delivering.includes(name) } }])),
    users: new Map(
      Object.entries(carried).flatMap(([provider, instruments]) =>
        instruments.map((instrument) => [`${provider}|${instrument}`, { place: { provider, instrument } }] as const)
      )
    )
  }) as unknown as Parameters<typeof isOutage>[0]

const CARRIED = { a: ['BTC-USDT', 'ETH-USDT'], b: ['ETH-USDT'], stocks: ['AAPL'], idle: [] }

test.each([
  ['who delivers other instruments is no help', 'a', ['stocks'], true],
  ['one that delivers one of its instruments is', 'a', ['b', 'stocks'], false],
  ['its own other connections are none', 'a', ['a'], true],
  ['alone with what it carries it is always one', 'stocks', ['a', 'b'], true],
  ['who carries nothing that is asked for is compared with all', 'idle', ['stocks'], false],
  ['and there is none while nobody delivers', 'idle', [], true]
] as const)('an outage is of what a provider carries: %s', (_, provider, delivering, outage) => {
  expect(isOutage(hub(CARRIED, delivering), provider)).toBe(outage)
})
