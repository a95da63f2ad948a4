/** `tickwire doctor` against the street: what is right, and each thing that can be wrong, in one line with its mending. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStreet, type Street } from '@tickwire/street'
import { freePort, run } from './program.ts'

let street: Street
let addresses: Record<string, { wsUrl: string; restUrl: string }>
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, trace: () => {}, fatal: () => {} } as never

beforeAll(async () => {
  street = createStreet({ seed: 1, control: 0, clock: Date.now, log: quiet })
  addresses = await street.start()
})
afterAll(() => street.stop())

const at = (provider: string, address = addresses[provider]!): string[] => [
  '--set',
  `providers.${provider}.wsUrl=${address.wsUrl}`,
  '--set',
  `providers.${provider}.restUrl=${address.restUrl}`
]
async function doctor(...args: string[]) {
  const { found, exited } = await run(['doctor', '--json', '--timeout', '8', ...args], /^\[.*\]$/m)
  return {
    code: await exited,
    findings: JSON.parse(found[0]) as { provider: string; ok: boolean; finding: string; mend?: string }[]
  }
}

test('a provider that answers is well, and the first message is named', async () => {
  const { code, findings } = await doctor('kraken', ...at('kraken'))
  expect(findings).toEqual([
    { provider: 'kraken', ok: true, finding: expect.stringMatching(/^first quote of BTC-USDT after/) as string }
  ])
  expect(code).toBe(0)
})

test('a wrong address, a missing key: each in one line with what to do', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`
  const { code, findings } = await doctor(
    'binance',
    'alpaca',
    ...at('binance', { wsUrl: `ws://${nowhere}/ws`, restUrl: `http://${nowhere}` })
  )
  expect(code).toBe(1)
  expect(findings[0]).toMatchObject({
    provider: 'binance',
    ok: false,
    mend: expect.stringContaining('Nothing listens there') as string
  })
  expect(findings[1]).toMatchObject({
    finding: 'needs key and secret',
    mend: expect.stringContaining('ALPACA__SECRET') as string
  })
})
