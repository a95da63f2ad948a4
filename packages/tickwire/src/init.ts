/** `tickwire init`: asks what is needed and writes the configuration file. Keys go into files of their own, never into it. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { cancel, outro } from '@clack/prompts'
import { providers } from '@tickwire/server/providers/index.ts'
import { ConfigError, fromFile, resolveConfig } from '@tickwire/server/settings.ts'
import { ask, askOverwrite, fieldOf, split, type Answers, type Terminal } from './questions.ts'

export type InitFlags = {
  config: string
  yes?: boolean
  force?: boolean
  mode?: string
  providers?: string
  watch?: string
  port?: string
}

const NO_TERMINAL =
  'there is no terminal to ask questions on: say --yes, with --mode, --providers, --watch and --port where the usual will not do'

export async function init(flags: InitFlags, terminal: Terminal = {}): Promise<void> {
  const { config: file, yes, force } = flags
  const asking = !yes && (terminal.input !== undefined || process.stdin.isTTY)
  if (!yes && !asking) throw new ConfigError(NO_TERMINAL)
  const there = existsSync(file) && !force
  if (there && yes) throw new ConfigError(`${file} exists already: --force overwrites it, --config names another`)
  const base = suggested(flags)
  if (there && !(await askOverwrite(file, terminal))) return cancel('Nothing is written.', terminal)
  const answers = asking ? await ask(base, terminal) : base
  if (!answers) return cancel('Nothing is written.', terminal)
  write(file, answers)
  const lines = epilogue(file, answers)
  if (asking) outro(lines.join('\n   '), terminal)
  else console.log(lines.join('\n'))
}

/** What the flags say, and the usual for the rest. */
function suggested({ mode = 'live', providers: names, watch, port }: InitFlags): Answers {
  if (mode !== 'live' && mode !== 'demo') throw new ConfigError(`--mode is ${JSON.stringify(mode)}: it takes live or demo`)
  const usual = resolveConfig(port === undefined ? {} : { port })
  const named = names === undefined ? undefined : split(names)
  const unknown = (named ?? []).filter((name) => providers[name] === undefined)
  if (unknown.length > 0)
    throw new ConfigError(
      `--providers: there is no provider ${unknown.join(', ')}: there are ${Object.keys(providers).join(', ')}`
    )
  return {
    mode,
    port: usual.port,
    watch: watch === undefined ? usual.watch : split(watch),
    enabled: mode === 'demo' ? [] : (named ?? Object.keys(providers).filter((name) => usual.providers[name]!.enabled)),
    plain: {},
    secrets: {}
  }
}

type Section = { enabled: boolean; options?: Record<string, string>; [option: string]: unknown }

/** As the file says it. Secrets are named by the file that holds them. */
function contentOf(answers: Answers, secretFiles: Record<string, string>): object {
  const { mode, port, watch, enabled, plain } = answers
  if (mode === 'demo') return { mode, port }
  const sections: Record<string, Section> = {}
  for (const name of Object.keys(providers)) sections[name] = { enabled: enabled.includes(name) }
  for (const [path, value] of [...Object.entries(plain), ...Object.entries(secretFiles)]) {
    const [, name, option, choice] = path.split('.')
    const section = sections[name!]!
    if (choice === undefined) section[option!] = value
    else section.options = { ...section.options, [choice]: value }
  }
  return { mode, port, watch, providers: sections }
}

function write(file: string, answers: Answers): void {
  const drawer = join(dirname(resolve(file)), 'tickwire.keys')
  const named = Object.entries(answers.secrets).map(([path, secret]) => {
    const [, provider, need] = path.split('.')
    return { option: `${path}File`, at: join(drawer, `${provider}.${need}`), secret }
  })
  const content = contentOf(answers, Object.fromEntries(named.map(({ option, at }) => [option, at])))
  const json = `${JSON.stringify(content, undefined, 2)}\n`
  // What would not be read back is not written.
  resolveConfig(fromFile(json, file))
  if (named.length > 0) mkdirSync(drawer, { recursive: true, mode: 0o700 })
  for (const { at, secret } of named) writePrivate(at, `${secret}\n`)
  writePrivate(file, json)
}

/** For its owner alone, also where a more open file stood there before. */
function writePrivate(file: string, content: string): void {
  if (existsSync(file)) chmodSync(file, 0o600)
  writeFileSync(file, content, { mode: 0o600 })
}

/** What is written, what is still missing, and how to go on. */
function epilogue(file: string, { enabled, plain, secrets }: Answers): string[] {
  const missing = enabled.flatMap((name) => {
    const { title, needs } = providers[name]!
    const fields = needs
      .map((need) => fieldOf(`providers.${name}.${need}`)!)
      .filter(({ path }) => !(plain[path] ?? secrets[path]))
    return fields.length > 0 ? [`${title} still needs: set ${fields.map(({ env }) => env).join(' and ')}`] : []
  })
  const kept = Object.keys(secrets).length > 0 ? [`The keys are in ${join(dirname(resolve(file)), 'tickwire.keys')}.`] : []
  const check = enabled.length > 0 ? [`Check with: tickwire doctor --config ${file}`] : []
  return [`${file} is written.`, ...kept, ...missing, ...check, `Start with: tickwire --config ${file}`]
}
