/** `tickwire stream`: what a running server publishes, as a live table in a terminal, and as lines in a pipe. */
import { connect, Refused, type Client, type ConnectionState } from '@tickwire/client'
import { parseTopic, topicName } from '@tickwire/protocol'
import { CommandError, baseOf, keyOf } from './ask.ts'
import { concerns, isStreamed } from './stream/fields.ts'
import type { Format } from './stream/lines.ts'
import { noteOf } from './stream/notes.ts'
import { openPipe } from './stream/pipe.ts'
import type { Reading, StreamFlags } from './stream/reading.ts'
import { canDraw } from './stream/screen.ts'
import { openLive } from './stream/live.ts'
import { plain } from './terminal/plain.ts'

/** For what is under way when it is told to end. */
const PATIENCE = 1_000

export async function stream(instruments: readonly string[], flags: StreamFlags): Promise<void> {
  const topics = [...new Set(instruments.map((instrument) => topicFor(instrument, flags)))]
  const format: Format | undefined = flags.json ? 'json' : flags.csv ? 'csv' : flags.text ? 'text' : undefined
  if (flags.table && !canDraw(process.stdout))
    throw new CommandError('--table needs a terminal to draw on: into a pipe or a file go text (the default), --json or --csv')
  const drawn = format === undefined && canDraw(process.stdout)
  const contract = flags.contract ?? (drawn ? { delivery: 'latest' as const } : undefined)

  const ending = new AbortController()
  quietly(() => ending.abort())
  const key = keyOf(flags)
  const client = connect({
    url: baseOf(flags),
    client: 'tickwire-stream',
    ...(key === undefined ? {} : { token: () => keyOf(flags) ?? key })
  })
  const reading = drawn ? openLive(topics, flags) : openPipe(format ?? 'text', flags.type)
  listen(client, reading, flags, (error) => ending.abort(error))
  reading.watch?.(client, contract)
  try {
    let left = flags.count ?? Infinity
    const options = { signal: ending.signal, ...(contract === undefined ? {} : { contract }) }
    for await (const event of client.events(topics, options)) {
      if (!isStreamed(event)) continue
      await reading.event(event)
      if (--left <= 0) break
    }
    if (ending.signal.reason instanceof CommandError) throw ending.signal.reason
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    // Each topic's refusal was told as it came.
    process.exitCode = 2
  } finally {
    reading.end()
    client.close()
  }
}

function topicFor(instrument: string, { type, interval, provider }: StreamFlags): string {
  if (interval !== undefined && type !== 'candle') throw new CommandError('--interval goes with --type candle')
  const name = topicName(type, instrument, provider, type === 'candle' ? (interval ?? '1m') : undefined)
  const topic = parseTopic(name)
  if ('code' in topic) throw new CommandError(plain(`${JSON.stringify(instrument)} is no instrument: ${topic.message}`))
  return name
}

/** Ends as asked: by Ctrl-C, or by a supervisor. */
function quietly(end: () => void): void {
  const ended = (): void => {
    end()
    // A reader that takes nothing any more, but has not gone, keeps nobody here.
    setTimeout(() => process.exit(0), PATIENCE).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, ended)
}

function listen(client: Client, reading: Reading, flags: StreamFlags, fail: (error: Error) => void): void {
  const tell = (text: string | undefined): void => {
    if (text !== undefined) reading.note(text)
  }
  client.on('gap', (hole) => {
    if (hole.source !== 'provider' || concerns(flags.type, hole.event.kind)) tell(noteOf.gap(hole))
  })
  client.on('gap_filled', (filled) => {
    if (concerns(flags.type, filled.kind)) tell(noteOf.gap_filled(filled))
  })
  client.on('lost', (lost) => tell(noteOf.lost(lost)))
  client.on('status', (status) => tell(noteOf.status(status)))
  client.on('contract', (contracted) => tell(noteOf.contract(contracted)))
  client.on('reset', (reset) => tell(noteOf.reset(reset)))
  client.on('error', (failure) => tell(noteOf.error(failure)))
  client.on('shutdown', (shutdown) => tell(noteOf.shutdown(shutdown)))
  let wasOpen = false
  client.on('state', (state) => {
    reading.state?.(state)
    if (state.phase === 'open') {
      if (wasOpen) tell('connected again')
      wasOpen = true
    } else if (state.phase === 'closed') fail(new CommandError(plain(closing(state.reason))))
    else if (state.phase === 'waiting' && state.attempt > 0) {
      if (!wasOpen && !flags.wait) fail(new CommandError(unanswered(flags, state)))
      else tell(plain(state.reason))
    }
  })
}

/** What programs are told to do is not what a person at a terminal can do. */
const closing = (reason: string): string =>
  /\btoken\b/.test(reason)
    ? `${reason.replace(/(: connect\(.*\))?\.?$/, '')}: name the file that holds a key with --key-file`
    : reason

const unanswered = (flags: StreamFlags, { reason }: ConnectionState): string =>
  `no server answers at ${plain(baseOf(flags))} (${plain(reason.replace(/ Trying again.*/, ''))}): start one with "tickwire", name another with --url, or say --wait`
