/** `tickwire completion`, as the command line knows it; and the tree of commands as it and docs/cli.md read it. */
import { Argument, type Command, type Option } from 'commander'
import { SHELLS, type Flag, type Node } from '../completion.ts'
import { withExamples } from './words.ts'

export function addCompletion(program: Command): void {
  const completion = program
    .command('completion')
    .description('words for the Tab key of your shell, made from the commands there are')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action(async (shell: string) => (await import('../completion.ts')).completion(shell, nodesOf(program)))
  withExamples(completion, [
    ['source <(tickwire completion bash)', 'for this session; in ~/.bashrc for all of them'],
    ['source <(tickwire completion zsh)', 'the same, in ~/.zshrc'],
    ['tickwire completion fish > ~/.config/fish/completions/tickwire.fish', 'for all sessions of fish']
  ])
}

/** Each command with the path that leads to it, the program itself first. */
export function walk(command: Command, path: readonly string[] = []): { path: readonly string[]; command: Command }[] {
  return [{ path, command }, ...command.commands.flatMap((each) => walk(each, [...path, each.name()]))]
}

const FILES = /<(file|directory)>/

const flagOf = ({ short, long, description, argChoices, required, optional, flags }: Option): Flag => ({
  names: [long, short].filter((name) => name !== undefined),
  about: description,
  takes: !required && !optional ? 'nothing' : FILES.test(flags) ? 'file' : 'value',
  choices: argChoices ?? []
})

export const nodesOf = (program: Command): Node[] =>
  walk(program).map(({ path, command }) => ({
    path,
    words: [
      ...(path.length === 0 ? [{ name: 'serve', about: 'what happens without a command' }] : []),
      ...command.commands.map((each) => ({ name: each.name(), about: each.description() })),
      ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
        argChoices.map((name) => ({ name, about: description }))
      )
    ],
    options: command.createHelp().visibleOptions(command).map(flagOf)
  }))
