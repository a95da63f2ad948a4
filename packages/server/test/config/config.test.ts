import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { VERSION } from '../../src/version.ts'
import {
  configurationPage,
  ConfigError,
  fields,
  fromEnvironment,
  fromFile,
  fromFlags,
  redacted,
  resolveConfig
} from '../../src/settings.ts'

describe('configuration', () => {
  test('without anything, every option has its default', () => {
    expect(resolveConfig()).toMatchObject({ host: '127.0.0.1', port: 8000, gateway: { flushEvery: 16 }, feed: { grace: 30_000 } })
  })

  test('defaults < file < environment < flags', () => {
    const file = fromFile('{"port": 1, "host": "h", "plant": {"keep": 5}, "log": {"level": "warn"}}', 'f')
    const env = fromEnvironment({ TICKWIRE_PORT: '2', TICKWIRE_HOST: 'e', TICKWIRE_LOG__LEVEL: 'error' })
    const flags = fromFlags(['port=3'])
    expect(resolveConfig(file, env, flags)).toMatchObject({ port: 3, host: 'e', log: { level: 'error' }, plant: { keep: 5 } })
  })

  test('a provider is configured by TICKWIRE_PROVIDERS__NAME__OPTION', () => {
    const env = fromEnvironment({
      TICKWIRE_PROVIDERS__BINANCE__WS_URL: 'ws://127.0.0.1:1',
      TICKWIRE_PROVIDERS__KRAKEN__ENABLED: 'no',
      TICKWIRE_WATCH: 'BTC-USD, ETH-USD'
    })
    expect(resolveConfig(env)).toMatchObject({
      providers: { binance: { wsUrl: 'ws://127.0.0.1:1', enabled: true }, kraken: { enabled: false } },
      watch: ['BTC-USD', 'ETH-USD']
    })
  })

  test("[S1-46] the seeds' variable names are understood and converted", () => {
    const env = {
      PORT: '9',
      WS_MAX_RECONNECT_ATTEMPTS: '0',
      WS_ENQUEUE_TIMEOUT_MS: '50',
      USE_OPENAI: 'false',
      LOCAL_LLM_BASE_URL: 'http://localhost:11434/v1',
      LOCAL_LLM_MODEL: 'm',
      CHAT_REQUEST_TIMEOUT_SEC: '90',
      NEWS_UPDATE_INTERVAL: '31',
      PORTFOLIO_UPDATE_INTERVAL: '6'
    }
    expect(resolveConfig(fromEnvironment(env))).toMatchObject({
      port: 9,
      feed: { reconnectAttempts: 0 },
      chat: { openai: false, baseUrl: 'http://localhost:11434/v1', model: 'm', timeout: 90_000 },
      news: { interval: 31_000 },
      portfolio: { interval: 6000 }
    })
  })

  test.each([
    [() => resolveConfig(fromFile('{"prot": 1}', 'f')), /prot is not an option: did you mean port\?/],
    [
      () => resolveConfig(fromFile('{"gateway": {"flushevery": "1s"}}', 'f')),
      /gateway\.flushevery is not an option: did you mean flushEvery\?/
    ],
    [
      () => resolveConfig(fromFile('{"providers": {"binanse": {}}}', 'f')),
      /providers\.binanse is not an option: did you mean binance\?/
    ],
    [
      () => resolveConfig(fromFile('{"providers": {"alpaca": {"tradingUrl": "https://x"}}}', 'f')),
      /providers\.alpaca\.tradingUrl is not an option: did you mean options\.tradingUrl\?/
    ],
    [
      () => resolveConfig(fromFile('{"providers": {"alpaca": {"option": {}}}}', 'f')),
      /providers\.alpaca\.option is not an option: did you mean options\?/
    ],
    [
      () => resolveConfig(fromFile('{"feed": {"grace": "10 parsecs"}}', 'f')),
      /feed\.grace is "10 parsecs": a duration is a number and a unit/
    ],
    [() => resolveConfig(fromFlags(['port=70000'])), /port is "70000": it takes a whole number from 0 to 65535/],
    [() => resolveConfig(fromFlags(['port=abc'])), /port is "abc": it takes a whole number from 0 to 65535/],
    [() => resolveConfig(fromFlags(['log.level=loud'])), /log\.level is "loud": it takes one of trace, debug/],
    [() => fromFlags(['zzzzzz.qqqq=1']), /no such option; docs\/configuration\.md lists them all/],
    [
      () => resolveConfig(fromFlags(['providers.binance.wsUrl=http://x'])),
      /providers\.binance\.wsUrl is "http:\/\/x": an address starting with ws/
    ],
    [() => fromFlags(['prt=1']), /no such option; did you mean port\?/],
    [() => fromFlags(['port']), /say the value too/],
    [() => fromEnvironment({ TICKWIRE_PROT: '1' }), /TICKWIRE_PROT is not an option: did you mean TICKWIRE_PORT\?/],
    [() => fromEnvironment({ TICKWIRE_PROVIDERS__BINANCE__ENABLED: 'maybe' }), /takes true or false/],
    [() => fromFile('{', 'f.json'), /f\.json is not JSON/],
    [() => fromFile('[]', 'f.json'), /must hold an object/],
    [
      () => fromFile('{"providers": {"alpaca": {"secret": "x"}}}', 'f.json'),
      /holds the secret providers\.alpaca\.secret: .*secretFile.*TICKWIRE_PROVIDERS__ALPACA__SECRET/
    ]
  ])('what is wrong is named, with what would be right (%#)', (action, message) => {
    expect(action).toThrow(ConfigError)
    expect(action).toThrow(message)
  })

  test('several mistakes are told at once', () => {
    expect(() => resolveConfig(fromFile('{"prot": 1, "feed": {"grace": 1}}', 'f'))).toThrow(/grace[\s\S]*prot|prot[\s\S]*grace/)
  })

  test('a secret is never shown', () => {
    const config = resolveConfig(
      fromEnvironment({ TICKWIRE_PROVIDERS__ALPACA__SECRET: 'hunter2', TICKWIRE_PROVIDERS__ALPACA__KEY: 'k3y' })
    )
    const shown = JSON.stringify(redacted(config))
    expect(shown).not.toMatch(/hunter2|k3y/)
    expect(shown).toContain('(set)')
  })

  test('the version is that of every package', () => {
    const versions = ['protocol', 'server', 'street', 'client', 'dashboard', 'tickwire'].map((name) => {
      const text = readFileSync(new URL(`../../../${name}/package.json`, import.meta.url), 'utf8')
      return (JSON.parse(text) as { version: string }).version
    })
    expect(new Set(versions)).toEqual(new Set([VERSION]))
  })

  test('every option says what it is for', () => {
    expect(fields.filter(({ description }) => description === '')).toEqual([])
  })

  test('docs/configuration.md is made from the schema', () => {
    expect(readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')).toBe(configurationPage())
  })
})
