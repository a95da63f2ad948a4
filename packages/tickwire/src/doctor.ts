/** `tickwire doctor`: tries each configured provider as the server would, and says in one line what is wrong and how to mend it. */
import { isWhole } from '@tickwire/protocol'
import { sourcesOf } from '@tickwire/server/sources.ts'
import type { Config } from '@tickwire/server/config.ts'
import { ConfigError, fields } from '@tickwire/server/settings.ts'
import { mendOf } from './mend.ts'
import { load, type Flags } from './options.ts'
import { addressOf, probe, type Outcome } from './probe.ts'

export type DoctorFlags = Flags & { timeout: string; json?: true }
export type Finding = {
  provider: string
  /** Where it is looked for; without queries and passwords. */
  address?: string
  key?: 'no key needed' | 'key set' | 'key missing'
  ok: boolean
  finding: string
  mend?: string
}
type Examined = { finding: Finding; outcome?: Outcome; newsOnly?: boolean }

export async function doctor(names: readonly string[], flags: DoctorFlags): Promise<void> {
  const { config } = load(flags)
  const patience = Number(flags.timeout) * 1_000
  if (!(patience > 0)) throw new ConfigError(`--timeout is ${JSON.stringify(flags.timeout)}: it takes seconds, as in 10`)
  const unknown = names.filter((name) => config.providers[name] === undefined)
  if (unknown.length > 0)
    throw new ConfigError(`there is no provider ${unknown.join(', ')}: there are ${Object.keys(config.providers).join(', ')}`)
  const chosen = names.length > 0 ? names : Object.keys(config.providers).filter((name) => config.providers[name]!.enabled)
  if (chosen.length === 0) throw new ConfigError('no provider is switched on: name one after "doctor", or run "tickwire init"')
  const examined = await Promise.all(chosen.map((name) => examine(config, name, patience)))
  const findings = [...examined.map(({ finding }) => finding), ...(names.length > 0 ? [] : unlisted(config.watch, examined))]
  if (flags.json) console.log(JSON.stringify(findings))
  else print(findings)
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1
}

const widest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length))

function print(findings: readonly Finding[]): void {
  const name = widest(findings.map(({ provider }) => provider))
  const where = Math.min(48, widest(findings.map(({ address = '' }) => address)))
  for (const { provider, address = '', key = '', ok, finding, mend } of findings)
    console.log(
      `${ok ? 'ok  ' : 'BAD '} ${provider.padEnd(name)}  ${address.padEnd(where)}  ${key.padEnd(13)}  ${finding}${mend === undefined ? '' : `. ${mend}`}`
    )
}

async function examine(config: Config, provider: string, patience: number): Promise<Examined> {
  const providers = { ...config.providers, [provider]: { ...config.providers[provider]!, enabled: true } }
  const source = sourcesOf({ ...config, providers }).find(({ adapter }) => adapter.provider === provider)!
  const { needs, wsUrl } = source.adapter
  const access = source.readAccess()
  // Where there is no socket and the address is what must be configured, that is where it is looked for.
  const own = wsUrl === undefined && needs.includes('feed') ? access.feed : undefined
  const missing = needs.filter((need) => access[need] === undefined)
  const about = {
    provider,
    address: addressOf(own ?? (source.wsUrl || source.restUrl)),
    key: missing.length > 0 ? 'key missing' : needs.some((need) => need !== 'feed') ? 'key set' : 'no key needed'
  } as const
  if (missing.length > 0) {
    const variables = missing.map((need) => fields.find(({ path }) => path === `providers.${provider}.${need}`)?.env ?? need)
    const mend = `Set ${variables.join(' and ')}`
    return { finding: { ...about, ok: false, finding: `needs ${missing.join(' and ')}`, mend } }
  }
  const outcome = await probe(source, config.watch, patience)
  const { ok, finding } = outcome
  const mend = ok ? undefined : mendOf(finding, needs.length === 0)
  const newsOnly = source.adapter.kinds.every(isWhole)
  return { outcome, newsOnly, finding: { ...about, ok, finding, ...(mend === undefined ? {} : { mend }) } }
}

/** Instruments of `watch` that nobody has. Said only where everybody answered: one that is silent may have it. */
function unlisted(watch: readonly string[], examined: readonly Examined[]): Finding[] {
  const asked = examined.filter(({ newsOnly }) => newsOnly !== true).map(({ outcome }) => outcome)
  if (asked.length === 0 || asked.some((outcome) => outcome?.has === undefined)) return []
  const strangers = watch.filter((text) => text !== '*' && !asked.some((outcome) => outcome?.has?.includes(text)))
  if (strangers.length === 0) return []
  const near = new Set(strangers.flatMap((text) => asked.flatMap((outcome) => outcome?.nearest?.[text]?.slice(0, 1) ?? [])))
  const mend = near.size > 0 ? `Did you mean ${[...near].join(', ')}?` : 'Correct it, or add the provider that has it'
  return [{ provider: 'watch', ok: false, finding: `none of the providers lists ${strangers.join(', ')}`, mend }]
}
