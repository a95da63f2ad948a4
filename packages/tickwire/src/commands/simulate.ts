/** `tickwire simulate`, as the command line knows it. */
import type { Command } from 'commander'
import type { SimulateFlags } from '../simulate.ts'
import { withExamples } from './words.ts'

export function addSimulate(program: Command): void {
  const simulate = program
    .command('simulate')
    .description(
      'the whole product on simulated time against failing providers, networks and clients; every invariant after every step'
    )
    .option('--seeds <n>', 'seeds 1 to n', '200')
    .option('--seed <n>', 'this one alone')
    .option('--minutes <n>', 'simulated minutes of each seed', '1')
    .option('--jobs <n>', 'seeds at a time, each in a thread of its own; as many as there are cores unless named')
    .option('--digest', 'print the SHA-256 of all that happened: the same seed gives the same')
    .option('--log', 'print all that happened')
    .action(async (flags: SimulateFlags) => (await import('../simulate.ts')).simulateSeeds(flags))
  withExamples(simulate, [
    ['tickwire simulate', '200 seeds of a minute each; the exit code is 1 where one fails'],
    ['tickwire simulate --seed 7 --minutes 5 --log', 'one seed, with all that happens'],
    ['tickwire simulate --seed 7 --digest', 'the same bytes each time']
  ])
}
