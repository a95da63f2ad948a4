import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { walk } from '../src/commands/completion.ts'
import { examplesOf } from '../src/commands/words.ts'
import { createProgram } from '../src/program.ts'
import { cliPage, helps } from '../src/reference.ts'
import { CLI, ended, openPlant, tickwire, trade, until, type Plant } from './plant.ts'

// Each starts a program or several.
vi.setConfig({ testTimeout: 150_000 })

const program = createProgram()
const commands = walk(program)

describe('every command says what it is for', () => {
  test.for(commands.map(({ path, command }) => [['tickwire', ...path].join(' '), command] as const))('%s', ([name, command]) => {
    expect(command.description()).not.toBe('')
    expect(examplesOf(command).length).toBeGreaterThan(0)
    for (const [line, what] of examplesOf(command)) {
      expect(line).toContain('tickwire')
      expect(what).not.toBe('')
    }
    for (const option of command.options) expect(option.description).not.toBe('')
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('')
    expect(helps().find((each) => each.name === name)?.help).toMatch(/\n\nExamples:\n {2}\S/)
  })

  test.for(commands.flatMap(({ command }) => examplesOf(command).map(([line]) => line)))('that example is one: %s', (line) => {
    const typed = /tickwire(?: [^|>)]*)?/.exec(line)?.[0].trim().split(/\s+/).slice(1) ?? []
    const at = commands.findLast(({ path }) => path.every((word, i) => typed[i] === word))
    const options = at?.command.options ?? []
    for (const word of typed.filter((each) => each.startsWith('-')))
      expect(options.flatMap(({ long, short }) => [long, short])).toContain(word)
  })

  test('docs/cli.md is what they say: npm run docs', () => {
    expect(readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')).toBe(cliPage())
  })
})

describe('what is asked wrongly', () => {
  test.for([
    [['strem'], /no command "strem"; did you mean stream\?/],
    [['nothing-like-it'], /no command .*: there are serve, stream/],
    [['keys', 'revok'], /Did you mean revoke\?/],
    [['street', '--sed', '4'], /Did you mean --seed\?/],
    [['stream'], /missing required argument 'instruments'/],
    [['stream', 'X', '--type', 'candel'], /Allowed choices are trade, quote, ticker, candle, book/],
    [['stream', 'X', '--json', '--csv'], /cannot be used with/],
    [['stream', 'X', '--interval', '1m'], /--interval goes with --type candle/],
    [['stream', 'X', '--count', '0'], /a number above 0/],
    [['stream', 'X', '--table'], /--table needs a terminal/],
    [['stream', 'X', '--url', 'ftp://x'], /--url is "ftp:\/\/x"/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['stream', 'X', '--url', 'http://127.0.0.1:1'], /no server answers at http:\/\/127.0.0.1:1 .*start one with "tickwire"/]
  ] as const)('%o is told on stderr alone, with what was meant, and the exit code is 2', async ([args, words]) => {
    const { code, out, err } = await tickwire(args)
    expect(err).toMatch(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})

describe('a stream in a pipe', () => {
  let plant: Plant | undefined
  afterEach(() => plant?.close())

  test('is lines on stdout, and what is said beside them on stderr', async () => {
    plant = await openPlant((send) => {
      send([trade(1), { op: 'lost', topic: 'trade:BTC-USDT', count: 3, from: 2, to: 4, reason: 'slow' }, trade(5)])
    })
    const { code, out, err } = await tickwire(['stream', 'BTC-USDT', '--count', '2', '--url', plant.url])
    expect(out.trim().split('\n')).toHaveLength(2)
    expect(out).toMatch(/^\S+Z {2}BTC-USDT {2}101 /)
    expect(err).toMatch(/lost: 3 events of trade:BTC-USDT/)
    expect(err).toMatch(/demo: these are not real prices/)
    expect(code).toBe(0)
  })

  test('[S10] as JSON each line is an event as it was sent, and no control character reaches the terminal', async () => {
    const hostile = { provider: '\x1b]0;x\x07', id: '\u009b2J\r\n' }
    plant = await openPlant((send) => send([trade(1, hostile)]))
    const { out } = await tickwire(['stream', 'BTC-USDT', '--json', '--count', '1', '--url', plant.url])
    expect(out.trimEnd()).toMatch(/^[\x20-\x7e]+$/)
    expect(JSON.parse(out)).toMatchObject({ ...hostile, price: 101 })
  })

  test('as CSV it has one header', async () => {
    plant = await openPlant((send) => send([trade(1), trade(2, { provider: '=cmd()' })]))
    const { out } = await tickwire(['stream', 'BTC-USDT', '--csv', '--count', '2', '--url', plant.url])
    const [header, , second, ...rest] = out.split('\r\n')
    expect(header).toMatch(/^time,instrument,price/)
    expect(second).toContain(",'=cmd(),")
    expect(rest).toEqual([''])
  })

  test('ends quietly with 0 when its reader has seen enough', async () => {
    let more: NodeJS.Timeout | undefined
    plant = await openPlant((send) => {
      let seq = 1
      more = setInterval(() => send([trade(seq++)]), 50)
    })
    const command = `"${process.execPath}" "${CLI}" stream BTC-USDT --url ${plant.url} | head -1; exit \${PIPESTATUS[0]}`
    const run = ended('bash', ['-c', command])
    const { code, out, err } = await run.told
    clearInterval(more)
    expect(out.split('\n')).toHaveLength(2)
    expect(err.replace(/.*not real prices\n/, '')).toBe('')
    expect(code).toBe(0)
  })

  test.runIf(process.platform === 'linux')('says in words that its output cannot be written, with 2', async () => {
    plant = await openPlant((send) => send([trade(1)]))
    const command = `"${process.execPath}" "${CLI}" stream BTC-USDT --json --url ${plant.url} > /dev/full`
    const { code, err } = await ended('bash', ['-c', command]).told
    expect(err.replace(/.*not real prices\n/, '')).toMatch(/^stdout cannot be written: ENOSPC.*\n$/)
    expect(code).toBe(2)
  })

  test('says that the connection went, goes on when it is back, and ends with 0 when it is told to', async () => {
    plant = await openPlant((send) => send([trade(1)]))
    const run = ended(process.execPath, [CLI, 'stream', 'BTC-USDT', '--url', plant.url])
    await until(() => run.output().includes('101'))
    plant.drop()
    await until(() => run.errors().includes('connected again'))
    run.child.kill('SIGINT')
    expect((await run.told).code).toBe(0)
  })

  test('a reader that takes nothing does not keep it when it is told to end', async () => {
    const many = Array.from({ length: 900 }, (_, at) => trade(at + 1, { venue: 'v'.repeat(1_000) }))
    plant = await openPlant((send) => send(many))
    const child = spawn(process.execPath, [CLI, 'stream', 'BTC-USDT', '--json', '--url', plant.url])
    let told = ''
    child.stderr.on('data', (chunk: Buffer) => (told += String(chunk)))
    await until(() => told.includes('not real prices') && child.stdout.readableLength > 0)
    const gone = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGTERM')
    expect(await gone).toBe(0)
  })

  test('a server that wants a key is told of by what a person can do', async () => {
    plant = await openPlant(() => {}, { auth: 'required' })
    const { code, err } = await tickwire(['stream', 'BTC-USDT', '--url', plant.url])
    expect(err).toBe('The server needs a token: name the file that holds a key with --key-file\n')
    expect(code).toBe(2)
  })

  const hasScript = spawnSync('script', ['--version']).status === 0
  test.skipIf(!hasScript)('in a terminal it is a table, and Ctrl-C gives the terminal back as it was', async () => {
    plant = await openPlant((send) => send([trade(1)]))
    const command = `stty rows 12 cols 80; exec "${process.execPath}" "${CLI}" stream BTC-USDT --url ${plant.url}`
    const run = ended('script', ['-qec', command, '/dev/null'], { TERM: 'xterm', NO_COLOR: '1' })
    await until(() => /BTC-USDT +101 /.test(run.output()))
    run.child.stdin.write('\x03')
    const { code, out } = await run.told
    expect(code).toBe(0)
    expect(out.indexOf('\x1b[?25l')).toBeGreaterThanOrEqual(0)
    const after = out.slice(out.lastIndexOf('\x1b[?1049l'))
    expect(out.lastIndexOf('\x1b[?25h')).toBeGreaterThan(out.lastIndexOf('\x1b[?25l'))
    expect(after).toMatch(/BTC-USDT +101 /)
  })
})

test('what a command prints for scripts is not mixed with words for people', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tickwire-'))
  try {
    const file = join(directory, 'config.json')
    writeFileSync(file, '{"mode":"demo"}')
    const { code, out, err } = await tickwire(['config', '--config', file])
    expect(JSON.parse(out)).toMatchObject({ mode: 'demo' })
    expect({ code, err }).toEqual({ code: 0, err: '' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
