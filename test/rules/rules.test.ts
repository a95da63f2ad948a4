import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { providers } from '@tickwire/server/providers/index.ts'
import { configRule, cycleRule, nameRule, packageRule, pureRule, roadRule, roomRule, sizeRule, timerRule } from './rules.ts'
import { readSource, readSources } from './source.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = readSources(root, ['packages'])

/** Files that speak of several providers because that is their one noun. */
const NAMES_ALLOWED = [
  /^packages\/server\/src\/(providers|dialects|shells)\/index\.ts$/,
  /^packages\/street\/src\/venues\.ts$/,
  // Its `rss` is the memory of the process.
  /^packages\/server\/src\/ops\/metrics\.ts$/,
  // Codes of venues in its own symbols and listing calls.
  /^packages\/server\/src\/(providers\/finnhub|dialects\/finnhub\.symbols)\.ts$/,
  // Names in a namespace's address.
  /^packages\/server\/src\/providers\/rss\.xml\.ts$/,
  // What the library makes of each exchange.
  /^packages\/server\/src\/providers\/ccxt\.exchanges\.ts$/
]

/** Files and functions past the size budget, each with the reason why it is one thing. */
const EXCUSED: Record<string, string> = {}

describe('the house rules hold', () => {
  test('protocol ← server ← street, protocol ← client ← dashboard, and nothing else crosses a package', () => {
    expect(packageRule(sources)).toEqual([])
  })
  test('providers, services, dialects and gateway never import each other', () => {
    expect(roomRule(sources)).toEqual([])
  })
  test('on the road to the plant each room knows those before it alone', () => {
    expect(roadRule(sources)).toEqual([])
  })
  test('pure files use no clock, chance, timer, process or await and import pure files only', () => {
    expect(pureRule(sources)).toEqual([])
  })
  test('what a simulation runs has its time, its chance and its timers from outside', () => {
    expect(timerRule(sources)).toEqual([])
  })
  test('only main.ts knows the configuration', () => {
    expect(configRule(sources)).toEqual([])
  })
  test("a provider's name appears in its own files and the maps only", () => {
    expect(nameRule(sources, Object.keys(providers), NAMES_ALLOWED)).toEqual([])
  })
  test('no file imports itself', () => {
    expect(cycleRule(sources)).toEqual([])
  })
  test('no file and no function is far past its size without a reason', () => {
    expect(sizeRule(sources, EXCUSED)).toEqual([])
  })
})

describe('each rule sees what it forbids', () => {
  test('a client that imports the server', () => {
    expect(packageRule([readSource('packages/client/src/a.ts', "import { x } from '@tickwire/server'")])).toHaveLength(1)
  })
  test('a gateway that imports a provider, also by type or on demand', () => {
    const file = "import type { x } from '../providers/some.ts'\nconst y = import('../providers/other.ts')"
    expect(roomRule([readSource('packages/server/src/gateway/a.ts', file)])).toHaveLength(2)
  })
  test('an arbiter that asks a connection', () => {
    const file = "import type { Pool } from '../connection/pool.ts'\nimport { openFeed } from '../feed/feed.ts'"
    expect(roadRule([readSource('packages/server/src/arbiter/a.ts', file)])).toHaveLength(2)
    expect(roadRule([readSource('packages/server/src/feed/a.ts', file)])).toEqual([])
  })
  test('a pure file with a clock, chance, a timer, an await, an impure import', () => {
    const file =
      "import net from 'node:net'\nexport const f = async () => { await g(); setTimeout(g, Date.now() * Math.random()); new Date() }"
    expect(pureRule([readSource('packages/server/src/plant/plant.ts', file)])).toHaveLength(6)
  })
  test('a room of the simulation with a real timer', () => {
    const file = 'const a = setTimeout(f, 1)\nconst b = Date.now()'
    expect(timerRule([readSource('packages/server/src/feed/feed.ts', file)])).toHaveLength(2)
    expect(timerRule([readSource('packages/server/src/connection/link.ts', file)])).toEqual([])
  })
  test('a property named like a clock is no clock', () => {
    expect(
      pureRule([
        readSource('packages/server/src/plant/plant.ts', 'export const a = { process: 1, fetch: 2 }; a.process; new Date(0)')
      ])
    ).toEqual([])
  })
  test('a room that reads the configuration', () => {
    expect(configRule([readSource('packages/server/src/feed/a.ts', "import { configSchema } from '../config.ts'")])).toHaveLength(
      1
    )
  })
  test("a provider's name in another room", () => {
    const file = readSource('packages/server/src/feed/a.ts', "if (provider === 'acme') x()")
    expect(nameRule([file], ['acme'], [])).toHaveLength(1)
    expect(nameRule([{ ...file, path: 'packages/server/src/providers/acme.ts' }], ['acme'], [])).toEqual([])
  })
  test('a cycle', () => {
    expect(cycleRule([readSource('a.ts', "import './b.ts'"), readSource('b.ts', "import './a.ts'")])).toEqual([
      'a.ts → b.ts → a.ts'
    ])
  })
  test('a long file, a long function, and an excuse that is no longer needed', () => {
    const long = readSource('packages/server/src/feed/a.ts', `export function f() {\n${'\n'.repeat(400)}}`)
    expect(sizeRule([long], {})).toHaveLength(2)
    expect(sizeRule([long], { 'packages/server/src/feed/a.ts': 'why', 'packages/server/src/feed/a.ts:f': 'why' })).toEqual([])
    expect(sizeRule([], { 'packages/gone.ts': 'why' })).toHaveLength(1)
  })
})
