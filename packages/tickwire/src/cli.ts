/** The tickwire command: serve (the default), street, simulate, init, doctor, resync, reconnect, config. Each is loaded when it is asked for. */
import { Command, Option } from 'commander'
import { VERSION } from '@tickwire/server/version.ts'
import type { CommandFlags, ResyncFlags } from './commands.ts'
import type { DoctorFlags } from './doctor.ts'
import type { InitFlags } from './init.ts'
import type { Flags } from './options.ts'
import type { ServeFlags } from './serve.ts'
import type { SimulateFlags } from './simulate.ts'
import type { StreetFlags } from './street.ts'

const CONFIG_FILE = 'tickwire.config.json'
const collect = (value: string, before: string[]) => [...before, value]
const common = (command: Command) =>
  command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} where there is one)`)
    .option('-s, --set <option=value>', 'set any option of docs/configuration.md; may be repeated', collect, [])

const program = new Command('tickwire')
  .description('A ticker plant for everyone: live market data from many providers, one model, one port.')
  .version(VERSION)
  // --config after a subcommand is the subcommand's.
  .enablePositionalOptions()
  .showHelpAfterError('(tickwire --help tells what there is)')

common(program)
  .option('-p, --port <port>', 'port for page, REST, WebSocket and SSE (default: 8000; 0 takes a free one)')
  .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
  .addOption(
    new Option('--demo', 'simulated providers; what happens without a configuration file').conflicts(['live', 'capture'])
  )
  .addOption(new Option('--live', 'the real providers; what happens with a configuration file').conflicts(['demo', 'capture']))
  .addOption(
    new Option('--capture <provider>', 'play the recorded session of a provider through the whole road').conflicts([
      'demo',
      'live'
    ])
  )
  .option('--speed <n>', 'pace of --capture: 1 is as recorded', '1')
  .option('--print-config', 'print the configuration in force, without secrets, and end')
  .usage('[command] [options]')
  .argument('[command]', 'serve, which is also what happens without one, or one of those below', 'serve')
  .action(async (command: string, flags: ServeFlags) => {
    if (command !== 'serve') {
      const known = ['serve', ...program.commands.map((each) => each.name())].join(', ')
      program.error(`there is no command ${JSON.stringify(command)}: there are ${known}`, { exitCode: 2 })
    }
    await (await import('./serve.ts')).serve(flags)
  })
  .addHelpText(
    'after',
    `
Examples:
  tickwire                                the demo: simulated providers, nothing to configure
  tickwire --live                         public data of the providers that need no key
  tickwire --capture <provider> --speed 4 a recorded session, four times as fast
  tickwire init                           write a configuration file, with questions
  tickwire doctor                         which provider answers, which does not, and why
  tickwire resync BTC-USDT                a running server asks for that book anew
  tickwire reconnect <provider>           a running server renews a provider's connections
  tickwire street                         the simulated providers alone, for drills of your own
`
  )

program
  .command('street')
  .description('run the simulated providers alone, each speaking its own protocol on its own loopback port')
  .option('--seed <n>', 'seed of the market; the same seed gives the same prices', '1')
  .option('--control <port>', 'port on which faults are commanded', '8100')
  .option('--capture <provider>', 'play a recorded session instead of the synthetic market')
  .option('--speed <n>', 'pace of --capture: 1 is as recorded', '1')
  .action(async (flags: StreetFlags) => (await import('./street.ts')).serveStreet(flags))

program
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
  .action(async (flags: SimulateFlags) => (await import('./simulate.ts')).simulateSeeds(flags))

program
  .command('init')
  .description(`write ${CONFIG_FILE}: asks for demo or live, providers, their keys, instruments, port`)
  .option('-c, --config <file>', 'file to write', CONFIG_FILE)
  .option('-y, --yes', 'ask nothing: what the options here say, and the usual for the rest')
  .option('--mode <mode>', 'live or demo (default: live)')
  .option('--providers <names>', 'separated by commas (default: those that need no key)')
  .option('--watch <instruments>', 'separated by commas: what is collected all the time')
  .option('-p, --port <port>', 'port for page, REST, WebSocket and SSE (default: 8000)')
  .option('-f, --force', 'overwrite the file if it exists')
  .action(async (flags: InitFlags) => (await import('./init.ts')).init(flags))

common(
  program
    .command('doctor')
    .description('try each configured provider, and say in one line what is wrong with it and how to mend it')
    .argument('[providers...]', 'only these, configured or not')
)
  .option('--timeout <seconds>', 'how long a first message is waited for', '10')
  .option('--json', 'one JSON array for scripts; the exit code is 1 where anything is wrong')
  .action(async (names: string[], flags: DoctorFlags) => (await import('./doctor.ts')).doctor(names, flags))

/** The exit code says the same as the words: 0 healed, 1 not healed, 2 it could not be asked. */
const asked = (command: Command) =>
  command
    .option('--url <address>', 'address of the running server', 'http://127.0.0.1:8000')
    .option('--key-file <file>', 'file that holds a key, where the server wants one')
    .option('--json', 'one JSON array for scripts')

asked(
  program
    .command('resync')
    .description("ask a running server to throw away an instrument's book and fetch it anew; says what came of it")
    .argument('<instrument>', 'as in BTC-USDT')
    .option('--provider <name>', 'the book of this one (default: of each that is asked for it, one after the other)')
)
  .addHelpText(
    'after',
    `
Exit code: 0 healed; 1 not healed; 2 it could not be asked, and the message says why.

Examples:
  tickwire resync BTC-USDT                    its book at every provider that is asked for it
  tickwire resync BTC-USDT --provider <name>  at that one
  tickwire resync BTC-USDT --url http://10.0.0.5:8000 --json
`
  )
  .action(async (instrument: string, flags: ResyncFlags) => (await import('./commands.ts')).resync(instrument, flags))

asked(
  program
    .command('reconnect')
    .description("ask a running server to renew a provider's connections, the new one first; says what came of it")
    .argument('<provider>', 'its name, as in GET /v1/providers')
)
  .addHelpText(
    'after',
    `
Exit code: 0 healed; 1 not healed; 2 it could not be asked, and the message says why.

Examples:
  tickwire reconnect <provider>
  tickwire reconnect <provider> --url http://10.0.0.5:8000 --key-file ./key
`
  )
  .action(async (provider: string, flags: CommandFlags) => (await import('./commands.ts')).reconnect(provider, flags))

common(program.command('config').description('print the configuration in force, without secrets')).action(async (flags: Flags) =>
  (await import('./options.ts')).print(flags)
)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Error) || !['ConfigError', 'CommandError'].includes(error.name)) throw error
  console.error(error.message)
  process.exitCode = 2
}
