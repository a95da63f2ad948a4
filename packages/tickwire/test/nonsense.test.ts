/** Every option with nonsense in it: refused by its name, with what it holds and what would be right; never a defect with a stack. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startServer } from '@tickwire/server'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createRandom } from '@tickwire/server/replay/random.ts'
import { ConfigError, fields, fromFile, fromFlags, resolveConfig } from '@tickwire/server/settings.ts'
import { sourcesOf } from '@tickwire/server/sources.ts'
import { load } from '../src/options.ts'
import { listenFault } from '../src/serve.ts'

const NONSENSE = ['nonsense', '-1', '1e99', '9999999d', '\u{1f4a5}', '']

/** Text whose sense nobody here can judge: names, secrets, files, which are looked at when they are used. */
const FREE = [
  /^(host|watch|journal\.(directory|logFile)|auth\.store|auth\.jwt\.\w+|redistribution\.owner|feed\.calendars|chat\.model)$/,
  /^providers\.[\w-]+\.(key|keyFile|secret|secretFile|feed|options\.\w+)$/
]
const isFree = (path: string): boolean => FREE.some((pattern) => pattern.test(path))
/** Where what is nonsense elsewhere makes sense. */
const SENSE = [/^street\.seed -1$/, /^providers\.[\w-]+\.wsUrl $/, /^(sectors) $/]

const faultOf = (act: () => unknown): Error | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    return error as Error
  }
}

test.for(fields.map(({ path, type }) => [path, type] as const))(
  '%s is refused with its name and its value, or is text that is free',
  ([path, type]) => {
    for (const value of NONSENSE) {
      const error = faultOf(() => resolveConfig(fromFlags([`${path}=${value}`])))
      if (error) {
        expect(error, `${path}=${value}`).toBeInstanceOf(ConfigError)
        expect(error.message, 'the option').toContain(path)
        expect(error.message, 'the value').toContain(JSON.stringify(value))
        expect(error.message, 'one sentence').not.toContain('\n')
        expect(error.message, 'what is right').toMatch(/: .{4,}/)
        continue
      }
      // No text is no list, and zero.
      const isNothing = value === '' && (type === 'array' || type === 'integer' || type === 'number')
      expect([path, value, isFree(path) || isNothing || SENSE.some((each) => each.test(`${path} ${value}`))]).toEqual([
        path,
        value,
        true
      ])
    }
  }
)

/** Of no provider: none is asked for anything. */
const NOBODY = fields.filter(({ path }) => /^providers\.[\w-]+\.enabled$/.test(path)).map(({ path }) => `${path}=false`)

const wholes = fields.filter(({ path }) => isFree(path) && !path.startsWith('providers.')).map(({ path }) => path)
test.for(wholes)(
  'a server that is started with nonsense as %s starts, or says what is wrong with the configuration',
  async (path) => {
    for (const value of ['nonsense', '/', '\u{1f4a5}']) {
      const store = path === 'auth.store' ? [] : ['auth.store=']
      const config = resolveConfig(fromFlags([...NOBODY, 'port=0', 'auth.insecure=true', ...store, `${path}=${value}`]))
      const outcome = await startServer(config, { mode: 'live', log: SILENT }).catch((error: NodeJS.ErrnoException) => error)
      if (!(outcome instanceof Error)) {
        await outcome.stop()
        continue
      }
      const told = outcome instanceof ConfigError ? outcome : listenFault(outcome, config)
      expect(told, `${path}=${value}: ${outcome.stack}`).toBeInstanceOf(ConfigError)
      expect(told?.message).toMatch(new RegExp(path.split('.').slice(0, 2).join('\\.')))
    }
  }
)

test('what a provider is given as text stops nothing before he is asked', () => {
  for (const { path } of fields.filter(({ path: each }) => each.startsWith('providers.') && isFree(each))) {
    const name = path.split('.')[1]!
    const config = resolveConfig(fromFlags([`providers.${name}.enabled=true`, `${path}=nonsense`]))
    const fault = faultOf(() => sourcesOf(config).map(({ readAccess }) => readAccess()))
    if (fault) expect(fault, path).toBeInstanceOf(ConfigError)
  }
})

test('a port that may not be had, and a file that is none, are told by their option', async () => {
  const config = resolveConfig({})
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const outcome = await startServer(resolveConfig(fromFlags([...NOBODY, 'auth.store=', `port=${port}`])), {
    mode: 'live',
    log: SILENT
  }).catch((error: NodeJS.ErrnoException) => error)
  taken.close()
  expect(listenFault(outcome as NodeJS.ErrnoException, { ...config, port })?.message).toContain(`port ${port} is taken`)
  const denied = Object.assign(new Error('listen EACCES'), { code: 'EACCES', port: 80 })
  expect(listenFault(denied, { ...config, port: 80 })?.message).toContain('port is 80')
  expect(listenFault(new Error('a defect'), config)).toBeUndefined()
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-nonsense-'))
  writeFileSync(join(folder, 'junk.json'), 'junk')
  for (const file of [folder, join(folder, 'junk.json'), join(folder, 'none.json')])
    expect(faultOf(() => load({ config: file, set: [] }, {}))).toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(file)
    })
})

test('a token that was written where its hash belongs is not told whole', () => {
  const error = faultOf(() => resolveConfig(fromFlags(['auth.keys=tw_0123456789ab_verysecretindeed'])))
  expect(error?.message).toMatch(/^auth\.keys holds "tw_01234…": .*64 hex digits/)
})

type Section = { [name: string]: unknown }

/** Every option with what it holds by itself, and what some hold that hold nothing. */
function fullFile(): string {
  const whole: Section = {}
  const put = (path: string, value: unknown): void => {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    const section = keys.reduce((at, key) => (at[key] ??= {}) as Section, whole)
    section[last] = value
  }
  for (const { path, fallback } of fields) if (fallback !== '') put(path, JSON.parse(fallback))
  put('sectors', { chips: ['NVDA', 'AMD'] })
  put('journal.record', 'both')
  put('journal.logFile', 'data/events.csv')
  return JSON.stringify(whole, undefined, 2)
}

const TITLE =
  'of 1,000 flipped bits in a file of all options each is refused with its place, or makes a configuration that is valid'
test(`[B8] ${TITLE}`, { timeout: 120_000 }, () => {
  const file = 'tickwire.config.json'
  const whole = Buffer.from(fullFile())
  expect(faultOf(() => resolveConfig(fromFile(String(whole), file)))).toBeUndefined()
  const places = new Set(fields.flatMap(({ path }) => path.split('.').map((_, i, keys) => keys.slice(0, i + 1).join('.'))))
  const isNamed = (line: string): boolean => {
    const place = /^(\S+) (?:is|holds|must hold) /.exec(line)?.[1] ?? ''
    return place === file || places.has(place) || place.startsWith('sectors.') || / is not an option: ./.test(line)
  }
  const random = createRandom('flips of a configuration')
  const told = { refused: 0, valid: 0, wrong: [] as unknown[] }
  for (let n = 0; n < 1_000; n++) {
    const bit = Math.floor(random() * whole.length * 8)
    const flipped = Buffer.from(whole)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const error = faultOf(() => resolveConfig(fromFile(String(flipped), file)))
    if (error) told.refused++
    else told.valid++
    if (error && !(error instanceof ConfigError && error.message.split('\n').every(isNamed))) told.wrong.push([bit, error.stack])
  }
  expect(told.wrong).toEqual([])
  expect(told.refused).toBeGreaterThan(500)
  expect(told.valid).toBeGreaterThan(50)
})
