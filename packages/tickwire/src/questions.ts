/** The questions of `tickwire init`, one after the other on a terminal. What they ask of a provider is read from the map. */
import type { Readable, Writable } from 'node:stream'
import { type CANCEL_SYMBOL, confirm, intro, isCancel, multiselect, note, password, select, text } from '@clack/prompts'
import { providers } from '@tickwire/server/providers/index.ts'
import { fields } from '@tickwire/server/settings.ts'

/** Where the questions stand: the terminal, unless a test hands its own. */
export type Terminal = { input?: Readable; output?: Writable }
export type Answers = {
  mode: 'demo' | 'live'
  port: number
  watch: string[]
  enabled: string[]
  /** By option path, as in `providers.<name>.feed`: what may stand in the configuration. */
  plain: Record<string, string>
  /** By option path: what may not. */
  secrets: Record<string, string>
}

/** The person went away: Ctrl-C or Escape. */
class Cancelled extends Error {}

async function answer<T>(asked: Promise<T | typeof CANCEL_SYMBOL>): Promise<T> {
  const given = await asked
  if (isCancel(given)) throw new Cancelled()
  return given
}

export const split = (list: string): string[] =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

export const fieldOf = (path: string) => fields.find((field) => field.path === path)

/** Nothing: the person changed his mind. */
export async function ask(base: Answers, terminal: Terminal): Promise<Answers | undefined> {
  try {
    return await askAll(base, terminal)
  } catch (error) {
    if (error instanceof Cancelled) return undefined
    throw error
  }
}

export async function askOverwrite(file: string, terminal: Terminal): Promise<boolean> {
  const message = `${file} exists already. Overwrite it?`
  return (await confirm({ message, initialValue: false, ...terminal })) === true
}

async function askAll(base: Answers, terminal: Terminal): Promise<Answers> {
  intro('Tickwire: live market data from many providers', terminal)
  const mode = await answer(
    select<Answers['mode']>({
      message: 'What shall it show?',
      options: [
        { value: 'live', label: 'Real markets', hint: 'the providers that you choose next' },
        { value: 'demo', label: 'The demo', hint: 'simulated providers; nothing to configure, no network' }
      ],
      initialValue: base.mode,
      ...terminal
    })
  )
  if (mode === 'demo') return { ...base, mode, enabled: [], port: await askPort(base.port, terminal) }
  const enabled = await askProviders(base.enabled, terminal)
  const { plain, secrets } = await askAccess(enabled, terminal)
  const watch = await askWatch(base.watch, terminal)
  return { mode, enabled, plain, secrets, watch, port: await askPort(base.port, terminal) }
}

function askProviders(initialValues: string[], terminal: Terminal): Promise<string[]> {
  const options = Object.values(providers).map(({ provider, title, needs, about }) => ({
    value: provider,
    label: title,
    hint: `${needs.length > 0 ? `needs ${needs.join(' and ')}` : 'no key'}; ${about.cost}`
  }))
  return answer(
    multiselect({ message: 'Which providers? (space picks, enter goes on)', options, initialValues, maxItems: 12, ...terminal })
  )
}

const wantsSecret = (provider: string): boolean =>
  providers[provider]!.needs.some((need) => fieldOf(`providers.${provider}.${need}`)?.secret)

async function askAccess(enabled: readonly string[], terminal: Terminal): Promise<Pick<Answers, 'plain' | 'secrets'>> {
  const plain: Record<string, string> = {}
  const secrets: Record<string, string> = {}
  const typed = enabled.some(wantsSecret) && (await askKeeping(terminal)) === 'files'
  for (const provider of enabled) {
    const { title, needs } = providers[provider]!
    for (const need of needs) {
      const field = fieldOf(`providers.${provider}.${need}`)!
      if (field.secret && !typed) continue
      const message = field.secret
        ? `${field.description.replace(/\.$/, '')} (hidden as you type; empty: later)`
        : `${title}: which ${need}? (empty: later)`
      const given = await answer(field.secret ? password({ message, mask: '•', ...terminal }) : text({ message, ...terminal }))
      if (given) (field.secret ? secrets : plain)[field.path] = given.trim()
    }
    Object.assign(plain, await askChoices(provider, title, terminal))
  }
  return { plain, secrets }
}

/** A provider without needs can be told nothing but these, so they are offered first; of others the usual will do. */
async function askChoices(provider: string, title: string, terminal: Terminal): Promise<Record<string, string>> {
  const { takes = {}, needs } = providers[provider]!
  const names = Object.keys(takes)
  if (names.length === 0) return {}
  const message = `${title} has further choices (${names.join(', ')}). Set them now?`
  if (!(await answer(confirm({ message, initialValue: needs.length === 0, ...terminal })))) return {}
  const chosen: Record<string, string> = {}
  for (const name of names) {
    const given = await answer(text({ message: `${title}, ${name}: ${takes[name]} (empty: the usual)`, ...terminal }))
    if (given) chosen[`providers.${provider}.options.${name}`] = given.trim()
  }
  return chosen
}

function askKeeping(terminal: Terminal): Promise<'files' | 'environment'> {
  return answer(
    select<'files' | 'environment'>({
      message: 'Where do the keys come from?',
      options: [
        { value: 'files', label: 'I type them now', hint: 'each into a file of its own that only you can read' },
        { value: 'environment', label: 'Environment variables', hint: 'their names are told at the end' }
      ],
      ...terminal
    })
  )
}

/** Whether it is listed is known when the providers have answered; that it is one name can be said now. */
const oneName = (list: string | undefined): string | undefined => {
  const wrong = split(list ?? '').find((name) => !/^[\w:.\-/^=&*]+$/.test(name))
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not one instrument: separate them by commas`
}

async function askWatch(watch: readonly string[], terminal: Terminal): Promise<string[]> {
  note('as in BTC-USDT, AAPL, EUR-USD, NSE:SBIN-EQ, INDEX:SPX\nOthers are fetched when a client asks for them.', 'Instruments', {
    ...terminal,
    format: (line) => line
  })
  const message = 'Which of them are collected all the time?'
  return split((await answer(text({ message, initialValue: watch.join(', '), validate: oneName, ...terminal }))) ?? '')
}

async function askPort(port: number, terminal: Terminal): Promise<number> {
  const given = await answer(
    text({
      message: 'Which port? (0 takes a free one)',
      initialValue: String(port),
      validate: (value) => (/^\d+$/.test(value ?? '') && Number(value) < 65_536 ? undefined : 'a number from 0 to 65535'),
      ...terminal
    })
  )
  return Number(given)
}
