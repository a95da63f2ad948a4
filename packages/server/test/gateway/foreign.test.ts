/** Commands from pages of elsewhere: a browser sends them with all that it knows of us, and only we can refuse them. */
import { afterEach, expect, test } from 'vitest'
import { dialects, emulations } from '../../src/dialects/index.ts'
import { sha256 } from '../../src/gateway/auth.ts'
import { startRig, type Rig } from './rig.ts'

const KEY = 'correct-horse'
const LISTED = 'https://desk.example'
let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const UNSAFE: ReadonlySet<string> = new Set(['post', 'put', 'patch', 'delete'])

/** Of the app's own document, each with something in the place of its parameters. */
async function unsafeRoutes(base: string, headers: Record<string, string>): Promise<[method: string, path: string][]> {
  const { paths } = (await (await fetch(`${base}/docs/json`, { headers })).json()) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => UNSAFE.has(method))
      .map((method): [string, string] => [method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, 'BTC-USDT').replaceAll('*', 'x')])
  )
}

const STRANGERS: readonly [string, Record<string, string>][] = [
  ['a foreign origin', { origin: 'https://evil.example' }],
  ['no origin of its own', { origin: 'null' }],
  ['a foreign origin and the mark of its browser', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['nothing but the mark of its browser', { 'sec-fetch-site': 'cross-site' }],
  ['the mark of a neighbour', { 'sec-fetch-site': 'same-site' }]
]

test.for([
  ['open on loopback', {}, {}],
  ['with keys', { auth: { keys: [sha256(KEY).toString('hex')] } }, { authorization: `Bearer ${KEY}` }]
] as const)(
  '[S1] %s: a page of elsewhere is refused by every route that changes anything, of every dialect',
  async ([, options, token]) => {
    const { base } = (rig = await startRig({ dialects: [...dialects, ...emulations], origins: [LISTED], ...options }))
    const routes = await unsafeRoutes(base, token)
    const own = dialects.flatMap(({ http = [] }) => http).filter(({ route }) => !/^(GET|HEAD) /.test(route))
    expect(own.length).toBeGreaterThan(5)
    expect(routes.length, 'those of the dialects and our own').toBeGreaterThan(own.length)
    expect(routes).toContainEqual(['POST', '/api/websocket/disconnect'])
    for (const [method, path] of [...routes, ['POST', '/nothing/here'] as const])
      for (const [what, headers] of STRANGERS) {
        const answer = await fetch(`${base}${path}`, { method, headers: { ...token, ...headers } })
        expect(answer.status, `${method} ${path} with ${what}`).toBe(403)
        expect(await answer.json(), path).toMatchObject({ error: { code: 'FORBIDDEN', retry: false } })
      }
  }
)

test('[S1] our own page, a listed one, a page on loopback and programs may command', async () => {
  const { base } = (rig = await startRig({ dialects, origins: [LISTED] }))
  for (const headers of [
    {},
    { origin: base, 'sec-fetch-site': 'same-origin' },
    { origin: LISTED, 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' }
  ])
    expect((await fetch(`${base}/api/websocket/disconnect`, { method: 'POST', headers })).status, JSON.stringify(headers)).toBe(
      200
    )
})
