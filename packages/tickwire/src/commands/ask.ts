/** `tickwire resync` and `tickwire reconnect`, as the command line knows them. */
import type { Command } from 'commander'
import type { CommandFlags, ResyncFlags } from '../ask.ts'
import { addressed, withExamples } from './words.ts'

/** The exit code says the same as the words. */
const asked = (command: Command): Command =>
  addressed(command)
    .option('--json', 'one JSON array for scripts')
    .addHelpText('after', '\nExit code: 0 healed; 1 not healed; 2 it could not be asked, and the message says why.')

export function addResync(program: Command): void {
  const resync = asked(
    program
      .command('resync')
      .description("ask a running server to throw away an instrument's book and fetch it anew; says what came of it")
      .argument('<instrument>', 'as in BTC-USDT')
      .option('--provider <name>', 'the book of this one (default: of each that is asked for it, one after the other)')
  ).action(async (instrument: string, flags: ResyncFlags) => (await import('../ask.ts')).resync(instrument, flags))
  withExamples(resync, [
    ['tickwire resync BTC-USDT', 'its book at every provider that is asked for it'],
    ['tickwire resync BTC-USDT --provider <name>', 'at that one'],
    ['tickwire resync BTC-USDT --url http://10.0.0.5:8000 --json', 'at another server, for scripts']
  ])
}

export function addReconnect(program: Command): void {
  const reconnect = asked(
    program
      .command('reconnect')
      .description("ask a running server to renew a provider's connections, the new one first; says what came of it")
      .argument('<provider>', 'its name, as in GET /v1/providers')
  ).action(async (provider: string, flags: CommandFlags) => (await import('../ask.ts')).reconnect(provider, flags))
  withExamples(reconnect, [
    ['tickwire reconnect <provider>', 'at the server on this machine'],
    ['tickwire reconnect <provider> --url http://10.0.0.5:8000 --key-file ./key', 'at another, which wants a key']
  ])
}
