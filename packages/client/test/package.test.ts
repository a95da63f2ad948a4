/** The package as it is published: packed, looked at by publint and attw, and run on the oldest Node that it is for. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPlant, type Plant } from './plant.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const bin = (name: string): string => join(root, 'node_modules/.bin', name)
const work = mkdtempSync(join(tmpdir(), 'tickwire-package-'))
const built = join(work, 'package')
const user = join(work, 'user')
let tarball: string
let plant: Plant

beforeAll(async () => {
  await run(process.execPath, [join(root, 'scripts/package-client.ts'), built])
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', work], { cwd: built })
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  tarball = join(work, packed!.filename)
  // As npm would unpack it; it depends on nothing that npm would fetch.
  const home = join(user, 'node_modules/@tickwire/client')
  mkdirSync(home, { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', home])
  writeFileSync(join(user, 'package.json'), '{"type":"module"}')
  plant = await openPlant()
}, 120_000)
afterAll(async () => {
  await plant?.stop()
  rmSync(work, { recursive: true, force: true })
})

const PROGRAM = `
import { DataStream } from '@tickwire/client'
const stream = new DataStream({ url: process.argv[2] })
const seen = []
for await (const { symbol, price } of stream.stream('BTCUSDT')) if (seen.push({ symbol, price }) === 3) break
console.log(JSON.stringify({ seen, via: stream.state().via }))
await stream.disconnectStreams()
`

describe('@tickwire/client as it is published', () => {
  test('publint has nothing to say', async () => {
    const { stdout } = await run(bin('publint'), ['run', tarball, '--strict'])
    expect(stdout).toMatch(/All good/)
  })

  test('its types resolve as its modules do, by attw', async () => {
    const { stdout } = await run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'json'])
    const { problems = {} } = JSON.parse(stdout) as { problems?: Record<string, unknown[]> }
    const found = Object.values(problems).flat() as { kind: string; resolutionKind?: string }[]
    expect(found.filter(({ resolutionKind }) => resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs')).toEqual([])
  })

  test('it depends on nothing, and names no file of the workspace', () => {
    const manifest = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest['dependencies']).toBeUndefined()
    for (const { default: file, types } of Object.values(
      manifest['exports'] as Record<string, { default: string; types: string }>
    ))
      for (const each of [file, types]) {
        expect(existsSync(join(built, each))).toBe(true)
        expect(readFileSync(join(built, each), 'utf8')).not.toMatch(/'@tickwire\/protocol'|\.ts'/)
      }
  })

  test.each([
    ['this Node', process.execPath, 'websocket'],
    ['Node 20, which has no WebSocket', '/usr/bin/node', 'sse']
  ])('it is imported, connects and streams on %s', async (_, node, via) => {
    if (node !== process.execPath) {
      const version = existsSync(node) ? (await run(node, ['--version'])).stdout.trim() : 'not there'
      if (!version.startsWith('v20.')) return console.warn(`not tried: ${node} is ${version}`)
    }
    writeFileSync(join(user, 'program.mjs'), PROGRAM)
    const { stdout } = await run(node, ['--unhandled-rejections=strict', 'program.mjs', plant.url], {
      cwd: user,
      timeout: 20_000
    })
    const { seen, via: by } = JSON.parse(stdout) as { seen: { symbol: string; price: number }[]; via: string }
    expect(by).toBe(via)
    expect(seen).toHaveLength(3)
    for (const { symbol, price } of seen) expect({ symbol, isPrice: price > 0 }).toEqual({ symbol: 'BTCUSDT', isPrice: true })
  })

  test('a program in TypeScript compiles against its types, with all checks on', async () => {
    writeFileSync(
      join(user, 'typed.ts'),
      `import { DataStream, type StreamMessage } from '@tickwire/client'
const stream = new DataStream({ url: 'x' })
const handle = stream.subscribe('BTCUSDT', (message: StreamMessage) => void message.price.toFixed(2))
export const ended: Promise<string> = handle.ended
// @ts-expect-error -- there is no such type of stream
stream.stream('BTCUSDT', { type: 'nothing' })
`
    )
    const options = [
      '--strict',
      '--noEmit',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2022,dom',
      '--types',
      '',
      'typed.ts'
    ]
    await run(bin('tsc'), options, { cwd: user }).catch((error: { stdout: string }) => expect(error.stdout).toBe(''))
  })
})
