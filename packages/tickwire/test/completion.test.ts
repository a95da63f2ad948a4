/** Words for Tab: in each shell itself, where it is installed, and of each command there is. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bash, completion, fish, SHELLS, zsh, type Shell } from '../src/completion.ts'
import { nodesOf, walk } from '../src/commands/completion.ts'
import { createProgram } from '../src/program.ts'
import { tickwire } from './plant.ts'

// Each starts a shell or a program.
vi.setConfig({ testTimeout: 60_000 })

const program = createProgram()
const commands = walk(program)
const names = commands.map(({ path }) => path.join(' '))

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0
const MADE = { bash, zsh, fish }
const place = mkdtempSync(join(tmpdir(), 'completion-'))
beforeAll(() => {
  for (const shell of SHELLS) writeFileSync(join(place, shell), MADE[shell](nodesOf(program)))
  writeFileSync(join(place, 'my file.csv'), '')
  // The line editor begins with the line, is asked for its choices, and what it would show is written down.
  writeFileSync(
    join(place, '.zshrc'),
    `autoload -Uz compinit; compinit -u -d ${join(place, 'dump')}; source ${join(place, 'zsh')}
compadd() {
local -a hits
if [[ " $* " != *' -'[ODA]' '* ]]; then builtin compadd -A hits "$@"; print -rl -- $hits >> $OFFERED; fi
builtin compadd "$@"
}
zle-line-init() { BUFFER=$LINE; CURSOR=$#BUFFER; zle list-choices; exit }
zle -N zle-line-init
`
  )
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

const told = (shell: string, args: readonly string[], env: Record<string, string> = {}): string =>
  execFileSync(shell, args, { encoding: 'utf8', cwd: place, env: { ...process.env, ...env }, input: '' })
/** What Tab offers after the last word, in the shell itself. */
const OFFERED = {
  bash(line: string): string {
    // As bash itself takes a line apart.
    const words = line.split(' ').flatMap((word) => word.split(/(?<==)|(?==)/))
    const asked = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tickwire`
    return told('bash', ['-c', `source ./bash; ${asked}; printf '%s\\n' "\${COMPREPLY[@]}"`])
  },
  zsh(line: string): string {
    const offered = join(place, 'offered')
    writeFileSync(offered, '')
    const all = 'zmodload zsh/zpty; zpty shell zsh -i; while zpty -r shell line; do :; done'
    told('zsh', ['-fc', all], { ZDOTDIR: place, OFFERED: offered, LINE: line })
    return readFileSync(offered, 'utf8').replaceAll('\\ ', ' ')
  },
  fish: (line: string): string => told('fish', ['-c', 'source ./fish; complete -C "$LINE"'], { LINE: line, HOME: place })
}
const offered = (shell: Shell, line: string): string[] => {
  const lines = OFFERED[shell](line).split('\n')
  return lines.map((each) => each.split('\t')[0]!.replace(/^--[a-z]+=/, '')).filter((each) => each !== '')
}
describe.for(SHELLS)('in %s, where it is installed', (shell) => {
  test.skipIf(!isThere(shell)).for([
    ['tickwire str', ['stream', 'street']],
    ['tickwire keys ', ['create', 'list', 'revoke', 'logout']],
    ['tickwire stream BTC-USDT --type ca', ['candle']],
    ['tickwire stream BTC-USDT --type candle --int', ['--interval']],
    ['tickwire --config x keys create --sc', ['--scopes']],
    ['tickwire export trades BTC-USDT -f ', ['csv', 'json', 'parquet']],
    ['tickwire export trades BTC-USDT --format=', ['csv', 'json', 'parquet']],
    ['tickwire export trades BTC-USDT --format=pa', ['parquet']],
    ['tickwire export trades BTC-USDT --out my', ['my file.csv']],
    ['tickwire completion ', ['bash', 'zsh', 'fish']]
  ] as const)('Tab offers what there is: %o', ([line, words]) => {
    expect(offered(shell, line)).toEqual(expect.arrayContaining([...words]))
  })
  test.skipIf(!isThere(shell))('a word that none begins with has none; a value that only the user knows is left to him', () => {
    expect(offered(shell, 'tickwire stream --provider ')).toEqual([])
    expect(offered(shell, 'tickwire export --zz')).toEqual([])
  })
})
test('has each command, option and choice in each shell, and nothing else', () => {
  for (const text of [bash(nodesOf(program)), zsh(nodesOf(program)), fish(nodesOf(program))])
    for (const { command } of commands) {
      for (const each of command.commands) expect(text).toContain(each.name())
      for (const { long } of command.options) expect(text).toContain(long?.slice(2))
    }
  expect(() => completion('tcsh', [])).toThrow(/there is for bash, zsh, fish/)
  expect(names).toContain('keys create')
})
test('the command writes what these tests try, for each shell', async () => {
  for (const shell of SHELLS) {
    const { code, out } = await tickwire(['completion', shell])
    expect({ code, isSame: out === readFileSync(join(place, shell), 'utf8') }).toEqual({ code: 0, isSame: true })
  }
})
