/** `tickwire resync` and `tickwire reconnect`: what a running server is asked to renew, and what came of it. */
import { readFileSync } from 'node:fs'

/** It could not even be asked. Not the error of the configuration: that would load the whole schema for a single question. */
export class CommandError extends Error {
  override name = 'CommandError'
}

export type CommandFlags = { url: string; keyFile?: string; json?: true }
export type ResyncFlags = CommandFlags & { provider?: string }

/** `subject` is what was to be renewed. */
type Outcome = { subject: string; outcome: 'healed' | 'failed' | 'timeout'; message: string; after: number }

/** The server itself gives up after 10 s. */
const PATIENCE = 15_000

type Ask = (method: 'GET' | 'POST', path: string) => Promise<unknown>

export function keyOf({ keyFile }: Pick<CommandFlags, 'keyFile'>): string | undefined {
  if (keyFile === undefined) return undefined
  try {
    return readFileSync(keyFile, 'utf8').trim()
  } catch (error) {
    throw new CommandError(`--key-file is ${JSON.stringify(keyFile)}: ${(error as Error).message}`)
  }
}

/** The address of a running server, without the slash at its end. */
export function baseOf({ url }: Pick<CommandFlags, 'url'>): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CommandError(`--url is ${JSON.stringify(url)}: it takes an address, as in http://127.0.0.1:8000`)
  return url.replace(/\/+$/, '')
}

/** What a person can do about it stands in each sentence. */
function asker(flags: CommandFlags): Ask {
  const base = baseOf(flags)
  const key = keyOf(flags)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (key !== undefined) headers.authorization = `Bearer ${key}`
  return async (method, path) => {
    let response: Response
    try {
      response = await fetch(`${base}${path}`, { method, headers, signal: AbortSignal.timeout(PATIENCE) })
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
      const why = cause?.code ?? cause?.message ?? message
      throw new CommandError(`no server answers at ${base} (${why}): start one with "tickwire", or name another with --url`)
    }
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok && body !== undefined) return body
    const told = (body as { error?: { message?: string } } | undefined)?.error?.message
    if (told === undefined)
      throw new CommandError(`${base} answers ${response.status}, but not as Tickwire does: is --url right?`)
    throw new CommandError(response.status === 401 ? `${told}: name the file that holds a key with --key-file` : told)
  }
}

async function checkProvider(ask: Ask, provider: string): Promise<void> {
  const { providers } = (await ask('GET', '/v1/providers')) as { providers: { provider: string }[] }
  const names = providers.map((each) => each.provider)
  if (!names.includes(provider))
    throw new CommandError(
      `there is no provider ${JSON.stringify(provider)}: there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
    )
}

function tell(outcomes: readonly Outcome[], flags: CommandFlags): void {
  if (flags.json) console.log(JSON.stringify(outcomes))
  else
    for (const { outcome, message, after } of outcomes)
      console.log(`${outcome.padEnd(7)}  ${message}${outcome === 'healed' ? `, after ${(after / 1_000).toFixed(1)} s` : ''}`)
  if (outcomes.some(({ outcome }) => outcome !== 'healed')) process.exitCode = 1
}

/** One provider after the other, so that there is always one whose book is whole. */
export async function resync(instrument: string, flags: ResyncFlags): Promise<void> {
  const ask = asker(flags)
  if (flags.provider !== undefined) await checkProvider(ask, flags.provider)
  const named = encodeURIComponent(instrument)
  const { books } = (await ask('GET', `/v1/books?instrument=${named}`)) as { books: { provider: string }[] }
  const providers = flags.provider === undefined ? books.map(({ provider }) => provider) : [flags.provider]
  const outcomes: Outcome[] = []
  for (const provider of providers) {
    const answer = await ask('POST', `/v1/books/${named}/resync?provider=${encodeURIComponent(provider)}`)
    outcomes.push({ subject: provider, ...(answer as Omit<Outcome, 'subject'>) })
  }
  const message = `no provider is asked for the book of ${instrument} now`
  tell(outcomes.length > 0 ? outcomes : [{ subject: instrument, outcome: 'failed', message, after: 0 }], flags)
}

export async function reconnect(provider: string, flags: CommandFlags): Promise<void> {
  const ask = asker(flags)
  await checkProvider(ask, provider)
  const answer = await ask('POST', `/v1/providers/${encodeURIComponent(provider)}/reconnect`)
  tell([{ subject: provider, ...(answer as Omit<Outcome, 'subject'>) }], flags)
}
