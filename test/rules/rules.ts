/** The rules of the house as functions from sources to complaints. house rules.test.ts runs them over the tree. */
import type { Source } from './source.ts'

const PACKAGES: Record<string, readonly string[]> = {
  protocol: [],
  server: ['protocol'],
  client: ['protocol'],
  dashboard: ['client', 'protocol'],
  street: ['server', 'protocol'],
  tickwire: ['server', 'street', 'client', 'protocol']
}
const packageOf = (path: string) => /^(?:packages|@tickwire)\/([^/]+)/.exec(path)?.[1]
const ROOMS = new Set(['providers', 'services', 'dialects', 'gateway'])
const CONTRACTS = new Set(
  ['providers/adapter.ts', 'services/service.ts', 'dialects/dialect.ts'].map((file) => `packages/server/src/${file}`)
)
const roomOf = (path: string) => /^packages\/server\/src\/([^/]+)\//.exec(path)?.[1]

/** Rule 1: protocol ← server ← street; protocol ← client ← dashboard; the command composes them. */
export const packageRule = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, imports }) => {
    const mine = packageOf(path)
    // Tests may stand on the real thing: the client's are run against the real gateway.
    if (!mine || /^packages\/[^/]+\/test\//.test(path)) return []
    return imports
      .map((to) => ({ to, theirs: packageOf(to) }))
      .filter(({ theirs }) => theirs !== undefined && theirs !== mine && !PACKAGES[mine]?.includes(theirs))
      .map(({ to }) => `${path} imports ${to}: package ${mine} may import ${PACKAGES[mine]?.join(', ') || 'no other'}`)
  })

/** Rule 2: providers, services, dialects and gateway meet in the plant, never in an import. Contracts are open to all. */
export const roomRule = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, imports }) => {
    const mine = roomOf(path)
    if (!mine || !ROOMS.has(mine)) return []
    return imports
      .filter((to) => ROOMS.has(roomOf(to) ?? '') && roomOf(to) !== mine && !CONTRACTS.has(to))
      .map((to) => `${path} imports ${to}: ${mine} and ${roomOf(to)} meet in the plant`)
  })

/** On the road to the plant each room knows those before it alone: calendar ← arbiter ← connection ← feed. */
const ROAD = ['calendar', 'arbiter', 'connection', 'feed']
export const roadRule = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, imports }) => {
    const mine = ROAD.indexOf(roomOf(path) ?? '')
    if (mine < 0) return []
    return imports
      .filter((to) => ROAD.indexOf(roomOf(to) ?? '') > mine)
      .map((to) => `${path} imports ${to}: ${ROAD[mine]} knows nothing of ${roomOf(to)}`)
  })

const PURE = [
  /^packages\/protocol\/src\//,
  /^packages\/server\/src\/providers\//,
  /^packages\/server\/src\/services\/(?!run\.ts)/,
  /^packages\/server\/src\/dialects\//,
  /^packages\/server\/src\/plant\/(plant|keep|handed)\.ts$/,
  /^packages\/server\/src\/(arbiter|calendar)\//,
  // All but the shells.
  /^packages\/server\/src\/connection\/(?!(connections|http|link|pause|pinned|poll|pool|public|rest|shop)\.ts)/,
  /^packages\/server\/src\/feed\/(?!(commands|feed|hub|listing|lookup|pass|reports|upstream)\.ts)/,
  /^packages\/server\/src\/replay\/(fork|player|random)\.ts$/,
  /^packages\/server\/src\/gateway\/(outbox|flow)\.ts$/,
  /^packages\/server\/src\/journal\/(block|cells|columns|csv|names|numbers|segment)\.ts$/,
  /^packages\/server\/src\/(history\/(amend|csv|cursor|fold|order|spans)|journal\/journal)\.ts$/,
  /^packages\/server\/src\/(agreement|complaints|nearest|settings|config(\.[a-z]+)?)\.ts$/,
  /^packages\/street\/src\/(market|pair|latent|random|venues)\.ts$/,
  /^packages\/tickwire\/src\/(terminal\/|stream\/(board|fields|lines|table)\.ts$)/,
  /^packages\/client\/src\/(connection|state|ask|data|position|backoff|buffer|eventstream|keys|message)\.ts$/
]
/** Rooms that a simulation runs on a time of its own; their files that hold real sockets stay outside of it. */
const SIMULATED =
  /^packages\/server\/src\/((feed|arbiter|calendar)\/|connection\/(?!(link|http)\.ts)|services\/|gateway\/(?!(ws|line|sse|sse\.line|http)\.ts))/
const REAL = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'fetch',
  'new Date()',
  'Date.now',
  'Math.random'
])

/** Rule 6: what a simulation runs asks for time, chance and calls later through what it is handed (timers.ts). */
export const timerRule = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => SIMULATED.test(path))
    .flatMap(({ path, impure }) =>
      impure
        .filter(({ what }) => REAL.has(what))
        .map(({ what, line }) => `${path}:${line} uses ${what}: a simulation could not run it; see timers.ts`)
    )

/** Libraries that compute and do nothing else. */
const PURE_LIBRARIES = new Set([
  'zod',
  'node:zlib',
  '@tickwire/protocol',
  '@msgpack/msgpack',
  'protobufjs/light.js',
  'feedsmith',
  'iconv-lite',
  'html-to-text',
  'trading-signals'
])
export const isPure = (path: string) => PURE.some((pattern) => pattern.test(path))

/** Rule 3: pure files use no clock, chance, timer, process or await, and import pure files only. */
export const pureRule = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => isPure(path))
    .flatMap(({ path, imports, impure }) => [
      ...imports
        .filter((to) => !isPure(to) && !PURE_LIBRARIES.has(to))
        .map((to) => `${path} is pure and imports ${to}, which is not`),
      ...impure.map(({ what, line }) => `${path}:${line} is pure and uses ${what}: time and chance are arguments`)
    ])

const CONFIG = /^packages\/server\/src\/(config(\.[a-z]+)?|settings)\.ts$/
const WIRES =
  /^(packages\/server\/src\/(main|embed|settings|sources|recording|replaying|config(\.[a-z]+)?)\.ts|packages\/tickwire\/src\/|packages\/street\/src\/main\.ts|packages\/[^/]+\/test\/|test\/|scripts\/)/
/** Rule 4: only main.ts (and the command, which reads files and flags for it) knows the configuration. */
export const configRule = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => !WIRES.test(path))
    .flatMap(({ path, imports }) =>
      imports.filter((to) => CONFIG.test(to)).map((to) => `${path} imports ${to}: it should be handed plain options by main.ts`)
    )

/** Rule 5: a provider's name (of a market, also the first word of it) appears in its own file, its dialect, the maps, its captures and the docs, and nowhere else. */
export const nameRule = (sources: readonly Source[], providers: readonly string[], allowed: readonly RegExp[]): string[] =>
  sources
    .filter(
      ({ path }) => !/\/test\//.test(path) && path.startsWith('packages/') && !allowed.some((pattern) => pattern.test(path))
    )
    .flatMap(({ path, text }) =>
      providers
        .filter((name) => !new RegExp(`/(${name}|${name.split('-')[0]})(\\.[a-z]+)*\\.tsx?$`).test(path))
        .flatMap((name) => {
          const at = text.split('\n').findIndex((line) => new RegExp(`\\b${name}\\b`, 'i').test(line))
          return at < 0 ? [] : [`${path}:${at + 1} names the provider ${name}`]
        })
    )

/** No file imports itself, however long the way. */
export function cycleRule(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const again = trail.indexOf(path)
    if (again >= 0) return void found.push([...trail.slice(again), path].join(' → '))
    if (done.has(path)) return
    for (const to of edges.get(path) ?? []) if (edges.has(to)) walk(to, [...trail, path])
    done.add(path)
  }
  for (const { path } of sources) walk(path, [])
  return found
}

/** The budget is 250 lines a file and 40 a function; these are where "far past" begins. */
export const FILE_LIMIT = 300
export const FUNCTION_LIMIT = 60
export const sizeRule = (sources: readonly Source[], excused: Readonly<Record<string, string>>): string[] => {
  const over = sources
    .filter(({ path }) => /^packages\/[^/]+\/src\//.test(path))
    .flatMap(({ path, lines, functions }) => [
      ...(lines > FILE_LIMIT ? [{ key: path, text: `${path} has ${lines} lines: look for the second thing inside` }] : []),
      ...functions
        .filter((f) => f.lines > FUNCTION_LIMIT)
        .map((f) => ({ key: `${path}:${f.name}`, text: `${path}:${f.line} ${f.name} has ${f.lines} lines` }))
    ])
  const unused = Object.keys(excused).filter((key) => !over.some((o) => o.key === key))
  return [
    ...over.filter(({ key }) => !(key in excused)).map(({ text }) => text),
    ...unused.map((key) => `${key} is excused but within the budget: remove it`)
  ]
}
