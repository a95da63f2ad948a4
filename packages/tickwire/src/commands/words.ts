/** What commands share as they are registered: flags of the configuration, and examples, which the help and docs/cli.md show. */
import { Option, type Command } from 'commander'

export const CONFIG_FILE = 'tickwire.config.json'

/** What is typed, and what that does. */
export type Example = readonly [line: string, what: string]

const shown = new WeakMap<Command, readonly Example[]>()

/** Every command has some: `--help` ends with them. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  shown.set(command, examples)
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd())
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

export const examplesOf = (command: Command): readonly Example[] => shown.get(command) ?? []

export const collect = (value: string, before: readonly string[]): string[] => [...before, value]

/** Of commands that read the configuration. */
export const configured = (command: Command): Command =>
  command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} where there is one)`)
    .addOption(
      new Option('-s, --set <option=value>', 'set any option of docs/configuration.md; may be repeated')
        .argParser(collect)
        .default([], 'none')
    )

/** Of commands that speak to a running server. */
export const addressed = (command: Command): Command =>
  command
    .option('--url <address>', 'address of the running server', 'http://127.0.0.1:8000')
    .option('--key-file <file>', 'file that holds a key, where the server wants one')
