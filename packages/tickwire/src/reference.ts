/** docs/cli.md, made of what each command says of itself; a test keeps the page true. */
import { walk } from './commands/completion.ts'
import { createProgram } from './program.ts'

const WIDTH = 110

/** Each command with the help that it prints. */
export function helps(): { name: string; help: string }[] {
  const program = createProgram()
  return walk(program).map(({ path, command }) => {
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => WIDTH, getOutHasColors: () => false })
    command.outputHelp()
    return { name: [program.name(), ...path].join(' '), help: help.trimEnd() }
  })
}

export const cliPage = (): string =>
  [
    '# The command line',
    'Made from the program by `npm run docs`; the same words come with `tickwire <command> --help`. Data goes to stdout, all else to stderr. In a checkout it is `npx tickwire`.',
    ...helps().flatMap(({ name, help }) => [`## ${name}`, `\`\`\`text\n${help}\n\`\`\``])
  ].join('\n\n') + '\n'
