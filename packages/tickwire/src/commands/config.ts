/** `tickwire config`, as the command line knows it. */
import type { Command } from 'commander'
import type { Flags } from '../options.ts'
import { configured, withExamples } from './words.ts'

export function addConfig(program: Command): void {
  const config = configured(
    program.command('config').description('print the configuration in force, without secrets, as JSON')
  ).action(async (flags: Flags) => (await import('../options.ts')).print(flags))
  withExamples(config, [
    ['tickwire config', 'defaults, file and environment'],
    ['tickwire config --set watch=AAPL,MSFT', 'and with this option']
  ])
}
