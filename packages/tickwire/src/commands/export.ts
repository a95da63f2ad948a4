/** `tickwire export`, as the command line knows it. */
import { INTERVALS } from '@tickwire/protocol'
import { Argument, Option, type Command } from 'commander'
import type { ExportFlags } from '../export.ts'
import { withExamples } from './words.ts'

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write what was recorded of instruments to a file: CSV, JSON lines or Parquet')
    .addArgument(new Argument('<what>', 'what of them').choices(['trades', 'candles']))
    .argument('<instruments...>', 'as in BTC-USDT, AAPL, NSE:SBIN-EQ')
    .option('--from <time>', 'ISO 8601 or epoch milliseconds, inclusive (default: the beginning)')
    .option('--to <time>', 'ISO 8601 or epoch milliseconds, exclusive (default: the end)')
    .addOption(new Option('-i, --interval <interval>', 'of candles').choices(INTERVALS).default('1m'))
    .addOption(
      new Option('-f, --format <format>', 'of the file (default: by its name, else csv)').choices(['csv', 'json', 'parquet'])
    )
    .option('-o, --out <file>', 'file to write (default: stdout; Parquet where that is a pipe or a file)')
    .option('--force', 'overwrite the file if it exists')
    .option('-d, --directory <directory>', 'the journal (default: data/journal)')
    .addOption(
      new Option(
        '--mode <mode>',
        'recordings of live providers, of the demo (simulated), or of captures that were played'
      ).choices(['live', 'demo', 'capture'])
    )
    .addOption(
      new Option('--url <address>', 'ask a running server instead: recordings, memory and providers').conflicts([
        'directory',
        'mode'
      ])
    )
    .option('--key-file <file>', 'file that holds a key, where the server wants one')
    .action(async (what: 'trades' | 'candles', instruments: string[], flags: ExportFlags) =>
      (await import('../export.ts')).exportPast(what, instruments, flags)
    )
  withExamples(command, [
    ['tickwire export trades BTC-USDT --out trades.parquet', 'all recorded trades, for DuckDB or pandas'],
    ['tickwire export candles BTC-USDT AAPL --interval 5m --from 2026-11-20 --out candles.csv', 'candles folded from them'],
    ['tickwire export trades AAPL --format json | head', 'JSON lines on stdout'],
    [
      'tickwire export trades BTC-USDT --from 2026-11-20T12:00Z --url http://127.0.0.1:8000',
      'by REST, also what was not recorded'
    ]
  ])
}
