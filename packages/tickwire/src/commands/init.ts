/** `tickwire init`, as the command line knows it. */
import type { Command } from 'commander'
import type { InitFlags } from '../init.ts'
import { CONFIG_FILE, withExamples } from './words.ts'

export function addInit(program: Command): void {
  const init = program
    .command('init')
    .description(`write ${CONFIG_FILE}: asks for demo or live, providers, their keys, instruments, port`)
    .option('-c, --config <file>', 'file to write', CONFIG_FILE)
    .option('-y, --yes', 'ask nothing: what the options here say, and the usual for the rest')
    .option('--mode <mode>', 'live or demo (default: live)')
    .option('--providers <names>', 'separated by commas (default: those that need no key)')
    .option('--watch <instruments>', 'separated by commas: what is collected all the time')
    .option('-p, --port <port>', 'port for page, REST, WebSocket and SSE (default: 8000)')
    .option('-f, --force', 'overwrite the file if it exists')
    .action(async (flags: InitFlags) => (await import('../init.ts')).init(flags))
  withExamples(init, [
    ['tickwire init', 'asks, and writes what was answered'],
    ['tickwire init --yes --watch BTC-USDT,ETH-USDT', 'asks nothing'],
    ['tickwire init --config other.json', 'another file; tickwire --config other.json starts with it']
  ])
}
