/** All commands in one tree: cli.ts runs it, and completion, docs/cli.md and their tests read it. */
import { Command, type CommanderError } from 'commander'
import { VERSION } from '@tickwire/server/version.ts'
import { addReconnect, addResync } from './commands/ask.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExport } from './commands/export.ts'
import { addInit } from './commands/init.ts'
import { addKeys } from './commands/keys.ts'
import { addRecord } from './commands/record.ts'
import { addReplay } from './commands/replay.ts'
import { addServe } from './commands/serve.ts'
import { addSimulate } from './commands/simulate.ts'
import { addStream } from './commands/stream.ts'
import { addStreet } from './commands/street.ts'

/** Each is loaded when it is asked for: what is imported here is words alone. In the order of the help. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  addStream,
  addRecord,
  addReplay,
  addExport,
  addStreet,
  addSimulate,
  addInit,
  addKeys,
  addDoctor,
  addResync,
  addReconnect,
  addConfig,
  addCompletion
]

/** One table for all commands, in the help and in docs/cli.md. */
export const EXIT_CODES = `Exit codes:
  0  done as asked; also when it was ended by Ctrl-C, or the reader of its pipe has gone
  1  done, and the answer is no: not healed, something is wrong, an invariant broke
  2  not done: asked wrongly, or what it needs is not there; the message on stderr says which`

export function createProgram(): Command {
  const program = new Command('tickwire')
    .description('A ticker plant for everyone: live market data from many providers, one model, one port.')
    .version(VERSION)
    // --config after a subcommand is the subcommand's.
    .enablePositionalOptions()
    .showHelpAfterError('(tickwire --help tells what there is)')
    .exitOverride(misused)
  addServe(program)
  for (const add of COMMANDS) add(program)
  return program.addHelpText('after', `\n${EXIT_CODES}`)
}

/** Asked wrongly is 2, as everywhere in this program; help and version are no errors. */
function misused({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : 2)
}
