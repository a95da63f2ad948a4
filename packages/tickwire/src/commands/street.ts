/** `tickwire street`, as the command line knows it. */
import type { Command } from 'commander'
import type { StreetFlags } from '../street.ts'
import { withExamples } from './words.ts'

export function addStreet(program: Command): void {
  const street = program
    .command('street')
    .description('run the simulated providers alone, each speaking its own protocol on its own loopback port')
    .option('--seed <n>', 'seed of the market; the same seed gives the same prices', '1')
    .option('--control <port>', 'port on which faults are commanded', '8100')
    .option('--capture <provider>', 'play a recorded session instead of the synthetic market')
    .option('--speed <n>', 'pace of --capture: 1 is as recorded', '1')
    .action(async (flags: StreetFlags) => (await import('../street.ts')).serveStreet(flags))
  withExamples(street, [
    ['tickwire street', 'prints where each provider is; faults are commanded on port 8100'],
    ['tickwire street --seed 7 --control 0', 'another market, and a free port for the faults'],
    ['tickwire street --capture <provider> --speed 4', 'a recorded session, four times as fast']
  ])
}
