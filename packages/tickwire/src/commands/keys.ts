/** `tickwire keys`, as the command line knows it. */
import type { Command } from 'commander'
import type { CreateFlags } from '../keys.ts'
import type { Flags } from '../options.ts'
import { configured, withExamples } from './words.ts'

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys: who may connect, what for, and until when')
  withExamples(keys, [
    ['tickwire keys create --name bot --expires 90d', 'a key that may read, for 90 days'],
    ['tickwire keys list', 'all keys there are and were'],
    ['tickwire keys revoke <id>', 'end one of them']
  ])
  addCreate(keys)
  const list = configured(keys.command('list').description('all keys there are and were, without the keys themselves'))
    .option('--json', 'one JSON array for scripts')
    .action(async (flags: Flags & { json?: true }) => (await import('../keys.ts')).listKeys(flags))
  withExamples(list, [
    ['tickwire keys list', 'a line for each'],
    ['tickwire keys list --json', 'for scripts']
  ])
  const revoke = configured(keys.command('revoke').description('end a key; live connections are cut within 5 s'))
    .argument('<id>', 'as list names it')
    .action(async (id: string, flags: Flags) => (await import('../keys.ts')).revokeKey(id, flags))
  withExamples(revoke, [['tickwire keys revoke k3f9a2', 'the id stands first in each line of "tickwire keys list"']])
  const logout = configured(
    keys.command('logout').description('end all keys of a user and all JSON Web Tokens issued to him until now')
  )
    .argument('<user>', 'as list names him')
    .action(async (user: string, flags: Flags) => (await import('../keys.ts')).endUser(user, flags))
  withExamples(logout, [['tickwire keys logout ann', 'whatever she holds is worth nothing from now on']])
}

function addCreate(keys: Command): void {
  const create = configured(keys.command('create').description('make a key; it is shown once, and only its SHA-256 is kept'))
    .option('--name <text>', 'what it is for', '')
    .option('--user <name>', 'whose it is', 'owner')
    .option('--scopes <names>', 'read, trade, admin, separated by commas', 'read')
    .option('--expires <time>', 'after a time, as in 90d, or on a day, as in 2027-01-31 (default: never)')
    .action(async (flags: CreateFlags) => (await import('../keys.ts')).createKey(flags))
  withExamples(create, [
    ['tickwire keys create --name laptop', 'it may read, and never expires'],
    ['tickwire keys create --user ann --scopes read,admin --expires 90d', 'it may also resync and reconnect'],
    ['tickwire keys create --name bot > bot.key', 'the key alone goes into the file']
  ])
}
