/** `tickwire record`, as the command line knows it. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { RecordFlags } from '../record.ts'
import { configured, withExamples } from './words.ts'

export function addRecord(program: Command): void {
  const record = configured(
    program
      .command('record')
      .description('write down what the configured providers send, for replays and export; no port, no page')
      .argument('[instruments...]', 'instead of those of watch, as in BTC-USDT AAPL')
  )
    .addOption(
      new Option('--what <what>', 'events as they are published, raw frames of the providers, or both')
        .choices(['events', 'frames', 'both'])
        .default('events')
    )
    .option('-d, --directory <directory>', 'the journal (default: data/journal)')
    .option('--for <time>', 'end after so long, as in 30s, 10m, 8h (default: at Ctrl-C)', spanOf)
    .option('--log-file <file>', 'each event also as a line that people can read: CSV where it ends with .csv, else JSON')
    .addOption(new Option('--demo', 'simulated providers; what happens without a configuration file').conflicts('live'))
    .addOption(new Option('--live', 'the real providers; what happens with a configuration file'))
    .addHelpText('after', `\n${CODES}`)
    .action(async (instruments: string[], flags: RecordFlags) => {
      const { refuseBusy } = await import('../busy.ts')
      refuseBusy({ ...flags, record: flags.what })
      await (await import('../record.ts')).record(instruments, flags)
    })
  withExamples(record, [
    ['tickwire record', 'events of what is watched, until Ctrl-C'],
    ['tickwire record --live BTC-USDT ETH-USDT --for 10m', 'two instruments of the real providers, for ten minutes'],
    ['tickwire record --what both --directory /data/journal', 'raw frames too, so that all can be decided anew'],
    ['tickwire record --log-file events.csv', 'also for a spreadsheet'],
    ['run=$(tickwire record --for 1m)', 'the name of the run is all that goes to stdout']
  ])
}

const CODES = `Exit code: 0 recorded; 1 nothing came, or something of it could not be written; 2 it could not begin, and the message says why.`

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function spanOf(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(count) * (UNITS[unit] ?? Number.NaN)
  if (ms > 0) return ms
  throw new InvalidArgumentError('It takes a span, as in 30s, 10m or 8h.')
}
