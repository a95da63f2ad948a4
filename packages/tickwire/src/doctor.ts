/** `tickwire doctor`: tries each configured provider as the server would, and says in one line what is wrong and how to mend it. */
import { ARBITRATED_KINDS, isWhole, topicName, type DataKind, type ProviderStatus, type Topic } from '@tickwire/protocol'
import { sourcesOf, type Source } from '@tickwire/server/sources.ts'
import type { Config } from '@tickwire/server/config.ts'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments, type Instruments } from '@tickwire/server/feed/instruments.ts'
import { keepFor } from '@tickwire/server/plant/keep.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { ConfigError, fields } from '@tickwire/server/settings.ts'
import { mendOf } from './mend.ts'
import { load, type Flags } from './options.ts'

export type DoctorFlags = Flags & { timeout: string; json?: true }
export type Finding = { provider: string; ok: boolean; finding: string; mend?: string }

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export async function doctor(names: readonly string[], flags: DoctorFlags): Promise<void> {
  const { config } = load(flags)
  const patience = Number(flags.timeout) * 1_000
  if (!(patience > 0)) throw new ConfigError(`--timeout is ${JSON.stringify(flags.timeout)}: it takes seconds, as in 10`)
  const unknown = names.filter((name) => config.providers[name] === undefined)
  if (unknown.length > 0)
    throw new ConfigError(`there is no provider ${unknown.join(', ')}: ${Object.keys(config.providers).join(', ')}`)
  const chosen = names.length > 0 ? names : Object.keys(config.providers).filter((name) => config.providers[name]!.enabled)
  const findings = await Promise.all(chosen.map((name) => examine(config, name, patience)))
  const width = Math.max(...findings.map(({ provider }) => provider.length))
  for (const { provider, ok, finding, mend } of findings)
    if (!flags.json)
      console.log(`${ok ? 'ok  ' : 'BAD '} ${provider.padEnd(width)}  ${finding}${mend === undefined ? '' : `. ${mend}`}`)
  if (flags.json) console.log(JSON.stringify(findings))
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1
}

async function examine(config: Config, provider: string, patience: number): Promise<Finding> {
  const providers = { ...config.providers, [provider]: { ...config.providers[provider]!, enabled: true } }
  const source = sourcesOf({ ...config, providers }).find(({ adapter }) => adapter.provider === provider)!
  const missing = source.adapter.needs.filter((need) => source.readAccess()[need] === undefined)
  if (missing.length > 0) {
    const variables = missing.map((need) => fields.find(({ path }) => path === `providers.${provider}.${need}`)?.env ?? need)
    return { provider, ok: false, finding: `needs ${missing.join(' and ')}`, mend: `Set ${variables.join(' and ')}` }
  }
  return probe(source, config.watch, patience)
}

async function probe(source: Source, watch: readonly string[], patience: number): Promise<Finding> {
  const { adapter } = source
  const { provider } = adapter
  const plant = createPlant({ epoch: 'doctor', keep: keepFor(10) })
  const instruments = createInstruments()
  const clock = Date.now
  const feed = createFeed({ providers: [source], plant, instruments, clock, random: Math.random, log: silent, simulated: false })
  const began = clock()
  const after = (): string => `after ${((clock() - began) / 1_000).toFixed(1)} s`
  const { promise: deadline, resolve: giveUp } = Promise.withResolvers<undefined>()
  const timer = setTimeout(giveUp, patience, undefined)
  try {
    await Promise.race([feed.start(), deadline])
    const [status] = feed.providers()
    if (feed.unlisted().length > 0)
      return bad(
        provider,
        status!.phase === 'idle' ? `no answer within ${patience / 1_000} s to the question for its instruments` : status!.reason
      )
    const topic = topicFor(source, instruments, watch)
    if (!topic) return bad(provider, 'none of your instruments is one of its own')
    const name = topicName(topic.kind, topic.instrument, provider)
    const first = new Promise<true>((resolve) => plant.subscribe(name, () => resolve(true)))
    feed.want(topic)
    if (await Promise.race([first, deadline]))
      return { provider, ok: true, finding: `first ${topic.kind} of ${topic.instrument} ${after()}` }
    return silentFinding(feed.providers()[0]!, topic)
  } finally {
    clearTimeout(timer)
    await feed.stop()
  }
}

const bad = (provider: string, finding: string): Finding => {
  const mend = mendOf(finding)
  return { provider, ok: false, finding, ...(mend === undefined ? {} : { mend }) }
}

/** Connected and silent may be a closed market; anything else is a fault. */
function silentFinding({ provider, phase, reason, market, refused }: ProviderStatus, { kind, instrument }: Topic): Finding {
  if (phase === 'live' && market !== undefined && market !== 'regular')
    return { provider, ok: true, finding: `connected; its market is ${market}, so no ${kind} of ${instrument} came` }
  const why = Object.keys(refused).join(', ')
  return bad(
    provider,
    `${phase === 'live' ? `connected, but no ${kind} of ${instrument} came` : reason}${why === '' ? '' : ` (${why})`}`
  )
}

/** What is asked first: the quickest kind it has, of an instrument that you watch, else of any that it trades. */
function topicFor({ adapter }: Source, instruments: Instruments, watch: readonly string[]): Topic | undefined {
  const { provider, kinds } = adapter
  const order: DataKind[] = ['quote', ...ARBITRATED_KINDS, 'index', 'mark', 'news']
  const kind = order.find((one) => kinds.includes(one))
  if (kind === undefined) return undefined
  if (isWhole(kind)) return { kind, instrument: 'all', provider }
  const listed = instruments.all().filter(({ providers }) => providers.some((one) => one.provider === provider && one.trading))
  const candidates = [...watch, 'AAPL', 'EUR-USD', 'NSE:SBIN-EQ', ...listed.map((info) => info.instrument)]
  const instrument = candidates.find((text) => instruments.symbolOf(provider, text) !== undefined)
  return instrument === undefined ? undefined : { kind, instrument, provider }
}
