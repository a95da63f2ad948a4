/** `tickwire init`: asks what is needed and writes the configuration file. Keys never go into it. */
import { existsSync, writeFileSync } from 'node:fs'
import { cancel, intro, isCancel, multiselect, outro, text } from '@clack/prompts'
import { providers } from '@tickwire/server/providers/index.ts'
import { ConfigError, fields, resolveConfig } from '@tickwire/server/settings.ts'

export type InitFlags = { config: string; yes?: boolean; force?: boolean }
type Answers = { port: number; watch: string[]; enabled: string[] }

const defaults = (): Answers => {
  const { port, watch, providers } = resolveConfig()
  return { port, watch, enabled: Object.keys(providers).filter((name) => providers[name]!.enabled) }
}

export async function init({ config: file, yes, force }: InitFlags): Promise<void> {
  if (existsSync(file) && !force) throw new ConfigError(`${file} exists already: --force overwrites it, --config names another`)
  if (!yes && !process.stdin.isTTY) throw new ConfigError('there is no terminal to ask questions on: --yes writes the defaults')
  const answers = yes ? defaults() : await ask(defaults())
  if (!answers) return
  const chosen = Object.fromEntries(Object.keys(providers).map((name) => [name, { enabled: answers.enabled.includes(name) }]))
  writeFileSync(file, `${JSON.stringify({ port: answers.port, watch: answers.watch, providers: chosen }, undefined, 2)}\n`)
  console.log(`${file} is written. Start with: tickwire --config ${file}`)
  for (const name of answers.enabled)
    for (const need of providers[name]!.needs)
      console.log(
        `${providers[name]!.title} needs a ${need}: set ${fields.find((f) => f.path === `providers.${name}.${need}`)!.env}`
      )
}

const nothing = (): undefined => {
  cancel('Nothing is written.')
  return undefined
}

async function ask(base: Answers): Promise<Answers | undefined> {
  intro('Tickwire: live market data from many providers')
  const enabled = await multiselect({
    message: 'Which providers?',
    options: Object.values(providers).map(({ provider, title, needs }) => ({
      value: provider,
      label: title,
      hint: needs.length ? `needs ${needs.join(' and ')}` : 'no key needed'
    })),
    initialValues: base.enabled
  })
  if (isCancel(enabled)) return nothing()
  const watch = await text({
    message: 'Which instruments are collected all the time? (others are fetched when a client asks)',
    initialValue: base.watch.join(', ')
  })
  if (isCancel(watch)) return nothing()
  const port = await text({
    message: 'Which port?',
    initialValue: String(base.port),
    validate: (value) => (/^\d+$/.test(value ?? '') && Number(value) < 65_536 ? undefined : 'a number from 0 to 65535')
  })
  if (isCancel(port)) return nothing()
  outro('Done.')
  return {
    enabled,
    port: Number(port),
    watch: watch
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  }
}
