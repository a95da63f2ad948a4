/** `tickwire init` as a person meets it: on a terminal, in a pipe, and by flags. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { fromFile, resolveConfig } from '@tickwire/server/settings.ts'
import { expect, test, vi } from 'vitest'

// Each has programs and a folder of its own; they share the processors.
vi.setConfig({ maxConcurrency: 3, testTimeout: 120_000 })

const cli = fileURLToPath(new URL('../../packages/tickwire/src/cli.ts', import.meta.url))
const room = (): string => mkdtempSync(join(tmpdir(), 'tickwire-init-'))
const readConfig = (file: string) => resolveConfig(fromFile(readFileSync(file, 'utf8'), file))
const modeOf = (file: string): number => statSync(file).mode & 0o777

const SPACE = ' '
const DOWN = '\u001B[B'
const ENTER = '\r'
const CLEAR = '\u0015'

/** Each answer is typed when its question stands on the screen: a pseudo terminal of `script` is between us. */
async function converse(args: readonly string[], talk: readonly [question: string, keys: string][]) {
  const command = [process.execPath, cli, 'init', ...args].map((part) => `'${part}'`).join(' ')
  const child = spawn('script', ['-qec', `stty cols 120 rows 50; ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  let screen = ''
  let read = 0
  let next = 0
  child.stdout.on('data', (chunk: Buffer) => {
    screen += stripVTControlCharacters(String(chunk))
    for (let turn = talk[next]; turn !== undefined && screen.includes(turn[0], read); turn = talk[next]) {
      read = screen.indexOf(turn[0], read) + turn[0].length
      next++
      child.stdin.write(turn[1])
    }
  })
  const [code] = (await once(child, 'exit')) as [number]
  return { code, screen, unasked: talk.slice(next).map(([question]) => question) }
}

async function piped(...args: string[]) {
  const child = spawn(process.execPath, [cli, 'init', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end()
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

test.concurrent('the questions make a configuration that is read back, and the keys stand in files for their owner alone', async () => {
  const directory = room()
  const file = join(directory, 'c.json')
  const { code, screen, unasked } = await converse(
    ['--config', file],
    [
      ['What shall it show?', ENTER],
      ['Which providers?', `${SPACE}${DOWN.repeat(3)}${SPACE}${ENTER}`],
      ['Where do the keys come from?', ENTER],
      ['API key for Alpaca', `PK-OF-MINE${ENTER}`],
      ['API secret for Alpaca', `HUSH${ENTER}`],
      ['Alpaca has further choices', ENTER],
      ['collected all the time?', `${CLEAR}AAPL, BTC-USD${ENTER}`],
      ['Which port?', `${CLEAR}99999${ENTER}`],
      ['a number from 0 to 65535', `${CLEAR}8055${ENTER}`]
    ]
  )
  expect([code, unasked]).toEqual([0, []])
  expect(screen).not.toMatch(/PK-OF-MINE|HUSH/)
  const { mode, port, watch, providers } = readConfig(file)
  expect({ mode, port, watch }).toEqual({ mode: 'live', port: 8055, watch: ['AAPL', 'BTC-USD'] })
  expect(Object.keys(providers).filter((name) => providers[name]!.enabled)).toEqual(['coinbase', 'kraken', 'alpaca'])
  const { keyFile = '', secretFile = '' } = providers.alpaca!
  expect([keyFile, secretFile].map((name) => readFileSync(name, 'utf8').trim())).toEqual(['PK-OF-MINE', 'HUSH'])
  expect([file, keyFile, secretFile].map(modeOf)).toEqual([0o600, 0o600, 0o600])
})

test.concurrent('who chooses environment variables is told their names, and the demo asks for the port alone', async () => {
  const file = join(room(), 'c.json')
  const first = await converse(
    ['--config', file, '--providers', 'alpaca'],
    [
      ['What shall it show?', ENTER],
      ['Which providers?', ENTER],
      ['Where do the keys come from?', `${DOWN}${ENTER}`],
      ['Alpaca has further choices', ENTER],
      ['collected all the time?', ENTER],
      ['Which port?', ENTER]
    ]
  )
  expect([first.code, first.unasked]).toEqual([0, []])
  expect(first.screen).toContain('TICKWIRE_PROVIDERS__ALPACA__KEY and TICKWIRE_PROVIDERS__ALPACA__SECRET')
  const again = await converse(
    ['--config', file],
    [
      ['Overwrite it?', 'y'],
      ['What shall it show?', `${DOWN}${ENTER}`],
      ['Which port?', ENTER]
    ]
  )
  expect([again.code, again.unasked]).toEqual([0, []])
  expect(readConfig(file).mode).toBe('demo')
})

test.concurrent('a file that exists is left as it is unless the answer is yes; so is everything after Ctrl-C', async () => {
  const file = join(room(), 'c.json')
  writeFileSync(file, '{"port": 1}')
  const { screen } = await converse(['--config', file], [['Overwrite it?', ENTER]])
  expect(screen).toContain('Nothing is written')
  expect((await piped('--yes', '--config', file)).text).toContain('--force overwrites it')
  expect(readFileSync(file, 'utf8')).toBe('{"port": 1}')
  const other = join(room(), 'c.json')
  await converse(['--config', other], [['What shall it show?', '\u0003']])
  expect(existsSync(other)).toBe(false)
})

test.concurrent('in a pipe it says what to do; with --yes it takes the flags and names the keys that are missing', async () => {
  const file = join(room(), 'c.json')
  const refused = await piped('--config', file)
  expect(refused).toEqual({ code: 2, text: expect.stringContaining('say --yes') as string })
  const { code, text } = await piped('--yes', '--config', file, '--providers', 'finnhub', '--watch', 'AAPL,MSFT', '--port', '0')
  expect(code).toBe(0)
  expect(text).toContain('Finnhub still needs: set TICKWIRE_PROVIDERS__FINNHUB__KEY')
  const { port, watch, providers } = readConfig(file)
  expect([port, watch, providers.finnhub!.enabled, providers.kraken!.enabled]).toEqual([0, ['AAPL', 'MSFT'], true, false])
})

test.concurrent.each([
  [['--providers', 'kraken,nobody'], 'there is no provider nobody'],
  [['--port', '70000'], 'port is "70000"'],
  [['--mode', 'paper'], 'it takes live or demo']
])('%s is refused before anything is written', async (flags, sentence) => {
  const file = join(room(), 'c.json')
  const { code, text } = await piped('--yes', '--config', file, ...flags)
  expect([code, existsSync(file)]).toEqual([2, false])
  expect(text).toContain(sentence)
})
