import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { providers } from '@tickwire/server/providers/index.ts'
import { run, until, type Program } from '../e2e/program.ts'

/** A provider that refuses everything and repeats all it was sent: address, headers, in words and in JSON. */
let upstream: Server
const asked: string[] = []
let program: Program
beforeAll(async () => {
  const repeat = (request: IncomingMessage) => JSON.stringify({ error: `not known: ${request.url}`, sent: request.headers })
  upstream = createServer((request, response) => {
    asked.push(repeat(request))
    response.writeHead(401, { 'content-type': 'application/json' }).end(repeat(request))
  })
  upstream.on('upgrade', (request, socket) => {
    asked.push(repeat(request))
    socket.end(`HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n${repeat(request)}`)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await program?.kill('SIGKILL')
  upstream.closeAllConnections()
  upstream.close()
})

const withKeys = Object.entries(providers).filter(([, { needs, wsUrl }]) => needs.includes('key') && wsUrl?.startsWith('ws'))
const secrets = new Map<string, string>()

test('[T18] [S11] a provider that repeats our keys brings none of them into the log, the metrics or any answer', async () => {
  const { port } = upstream.address() as AddressInfo
  const env: Record<string, string> = { TICKWIRE_LOG__LEVEL: 'debug', TICKWIRE_WATCH: 'AAPL,BTC-USD', TICKWIRE_AUTH__STORE: '' }
  for (const name of Object.keys(providers))
    env[`TICKWIRE_PROVIDERS__${name.replaceAll('-', '_').toUpperCase()}__ENABLED`] = 'false'
  for (const [name, { needs }] of withKeys) {
    const option = `TICKWIRE_PROVIDERS__${name.replaceAll('-', '_').toUpperCase()}__`
    secrets.set(`${name} key`, `K${secrets.size}key-of-${name}-7Qz`)
    env[`${option}KEY`] = secrets.get(`${name} key`)!
    if (needs.includes('secret')) {
      secrets.set(`${name} secret`, `S${secrets.size}hush+of/${name}-9Xw`)
      env[`${option}SECRET`] = secrets.get(`${name} secret`)!
    }
    Object.assign(env, { [`${option}ENABLED`]: 'true', [`${option}WS_URL`]: `ws://127.0.0.1:${port}/ws` })
    env[`${option}REST_URL`] = `http://127.0.0.1:${port}`
  }
  program = await run(['--live', '--port', '0'], /Tickwire {2}(http:\S+)/, env)
  await until('that it was asked, and refused', () => asked.length > 5 && /refused|denied|failed|401/.test(program.output()))
  // The keys did travel: otherwise nothing would be proved.
  expect([...secrets.values()].filter((secret) => asked.some((each) => each.includes(secret)))).not.toEqual([])
  const paths = ['/health', '/ready', '/metrics', '/v1/providers', '/ws/status', '/v1/instruments', '/v1/quotes/AAPL', '/nothing']
  const base = program.found[1]!
  const answers = await Promise.all(paths.map(async (path) => (await fetch(`${base}${path}`)).text()))
  await program.kill()
  // What it refused us for is told, only not with the key.
  expect(answers.join()).toMatch(/"reason":"[^"]*(?:401|redacted|not known)/)
  const said = [program.output(), ...answers].join('\n')
  for (const secret of secrets.values())
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')])
      expect(said.includes(form), form).toBe(false)
}, 60_000)
