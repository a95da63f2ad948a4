/** `tickwire` itself, which serves, as the command line knows it. */
import { Option, type Command } from 'commander'
import { distance, nearest } from '@tickwire/server/nearest.ts'
import type { ServeFlags } from '../serve.ts'
import { configured, withExamples } from './words.ts'

/** Rather than commander's default command: `tickwire --port 80` and `tickwire serve --port 80` are the same, with one help. */
export function addServe(program: Command): void {
  configured(program)
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
    .addOption(
      new Option('--record <what>', 'record for replays, history and export, into journal.directory').choices([
        'off',
        'events',
        'frames',
        'both'
      ])
    )
    .option('--log-file <file>', 'write each event as a line: CSV where the name ends with .csv, JSON lines where not')
    .option('--insecure', 'listen for others (--host) although nobody needs a token')
    .option('--print-config', 'print the configuration in force, without secrets, and end')
    .usage('[command] [options]')
    .argument('[command]', 'serve, which is also what happens without one, or one of those below', 'serve')
    .action(async (command: string, flags: ServeFlags) => {
      if (command !== 'serve') refuse(program, command)
      const { refuseBusy } = await import('../busy.ts')
      refuseBusy(flags)
      await (await import('../serve.ts')).serve(flags)
    })
  withExamples(program, [
    ['tickwire', 'the demo: simulated providers, nothing to configure'],
    ['tickwire --live', 'public data of the providers that need no key'],
    ['tickwire --capture <provider> --speed 4', 'a recorded session, four times as fast'],
    ['tickwire --live --record events', 'live, and recorded for replays'],
    ['tickwire init', 'write a configuration file, with questions'],
    ['tickwire doctor', 'which provider answers, which does not, and why'],
    ['tickwire resync BTC-USDT', 'a running server asks for that book anew'],
    ['tickwire reconnect <provider>', "a running server renews a provider's connections"],
    ['tickwire street', 'the simulated providers alone, for drills of your own']
  ])
}

function refuse(program: Command, command: string): never {
  const names = ['serve', ...program.commands.map((each) => each.name())]
  const near = nearest(command, names, 1).filter((name) => distance(command, name) <= 2)
  const meant = near.length > 0 ? `; did you mean ${near.join()}?` : `: there are ${names.join(', ')}`
  program.error(`there is no command ${JSON.stringify(command)}${meant}`)
}
