/** `tickwire stream`, as the command line knows it. */
import { INTERVALS, type AskedContract } from '@tickwire/protocol'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { STREAM_TYPES } from '../stream/fields.ts'
import type { StreamFlags } from '../stream/reading.ts'
import { addressed, withExamples } from './words.ts'

export function addStream(program: Command): void {
  const stream = addressed(
    program
      .command('stream')
      .description('what a running server publishes: a live table in a terminal, lines in a pipe')
      .argument('<instruments...>', 'as in BTC-USDT, btcusdt, AAPL, NSE:SBIN-EQ')
      .addOption(new Option('-t, --type <type>', 'what of them').choices(STREAM_TYPES).default('trade'))
      .addOption(new Option('-i, --interval <interval>', 'of candles (default: 1m)').choices(INTERVALS))
      .option('--provider <name>', 'what this one says, whether or not it leads (default: whoever is trusted most)')
  )
  addFormats(stream)
    .option('-n, --count <n>', 'end after so many events', (text: string) => above(text))
    .option('--contract <delivery>', CONTRACT, contractOf)
    .option('--stale <seconds>', 'age from which the table marks a price as stale', (text: string) => above(text), 30)
    .option('--wait', 'where no server answers yet, try until one does')
    .addHelpText('after', `\n${CODES}`)
    .action(async (instruments: string[], flags: StreamFlags) => (await import('../stream.ts')).stream(instruments, flags))
  withExamples(stream, [
    ['tickwire stream BTCUSDT AAPL', 'a live table'],
    ['tickwire stream BTCUSDT AAPL --type candle --interval 1m', 'forming and closed candles'],
    ['tickwire stream BTC-USDT --type quote --provider <name>', 'one provider alone'],
    ['tickwire stream BTC-USDT --json | jq .price', 'JSON lines for a script'],
    ['tickwire stream BTC-USDT --csv --count 1000 > trades.csv', 'a thousand trades for a spreadsheet'],
    ['tickwire stream BTC-USDT --type book --contract 1s --json', 'the best levels, once a second']
  ])
}

const CONTRACT =
  'every, latest (what a slow reader missed is left out), or a span as in 500ms or 2s (default: every; latest in the table)'
const CODES = `Gaps, losses and failovers are told on stderr, or below the table.
Exit code: 0 ended by --count, Ctrl-C or a reader that closed the pipe; 2 it could not be streamed, or no longer, and the message says why.`

function addFormats(command: Command): Command {
  const formats = {
    table: 'a live table; what happens in a terminal',
    text: 'aligned lines of text; what happens in a pipe or a file',
    json: 'JSON lines: whole events, as in PROTOCOL.md',
    csv: 'CSV with a header'
  }
  for (const [name, what] of Object.entries(formats))
    command.addOption(new Option(`--${name}`, what).conflicts(Object.keys(formats).filter((other) => other !== name)))
  return command
}

function above(text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It takes a number above 0.')
}

function contractOf(text: string): AskedContract {
  if (text === 'every' || text === 'latest') return { delivery: text }
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? []
  const interval = Math.round(Number(count) * (unit === 's' ? 1_000 : 1))
  if (interval >= 100 && interval <= 60_000) return { delivery: 'sampled', interval }
  throw new InvalidArgumentError('It takes every, latest, or a span from 100ms to 60s.')
}
