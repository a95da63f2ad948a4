/** `tickwire doctor`, as the command line knows it. */
import type { Command } from 'commander'
import type { DoctorFlags } from '../doctor.ts'
import { configured, withExamples } from './words.ts'

export function addDoctor(program: Command): void {
  const doctor = configured(
    program
      .command('doctor')
      .description('try each configured provider, and say in one line what is wrong with it and how to mend it')
      .argument('[providers...]', 'only these, configured or not')
  )
    .option('--timeout <seconds>', 'how long a first message is waited for', '10')
    .option('--json', 'one JSON array for scripts')
    .addHelpText('after', '\nExit code: 0 all is well; 1 something is wrong; 2 nothing could be tried, and the message says why.')
    .action(async (names: string[], flags: DoctorFlags) => (await import('../doctor.ts')).doctor(names, flags))
  withExamples(doctor, [
    ['tickwire doctor', 'each provider that is switched on'],
    ['tickwire doctor <provider> --timeout 30', 'one of them, with more patience'],
    ['tickwire doctor --json', 'for scripts']
  ])
}
