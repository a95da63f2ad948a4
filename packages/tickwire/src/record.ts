/** `tickwire record`: the plant without its gateway, and the journal beside it. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Mode, RecordingStatus } from '@tickwire/protocol'
import type { Config } from '@tickwire/server/config.ts'
import { openPlant } from '@tickwire/server/main.ts'
import { createLog, type Log } from '@tickwire/server/ops/log.ts'
import { secretsOf } from '@tickwire/server/settings.ts'
import { refuseRecorded } from './busy.ts'
import { load, type Flags } from './options.ts'
import { createProgress, type Progress } from './progress.ts'
import { listenFault, onStreet, openStreet } from './serve.ts'
import { plain } from './terminal/plain.ts'
import { span } from './terminal/span.ts'

export type RecordFlags = Flags & {
  what: 'events' | 'frames' | 'both'
  directory?: string
  /** Milliseconds. */
  for?: number
  logFile?: string
  demo?: true
  live?: true
}

/** Nobody is told of the street beside a recording, so that its usual port is left to a demo that runs. */
const ANY_CONTROL = { street: { control: 0 } }

const LOOKED_EVERY = 100
/** Of a recording of hours that nobody watches, a line a minute is enough. */
const TOLD_EVERY = 60_000

export async function record(instruments: readonly string[], flags: RecordFlags): Promise<void> {
  const { for: until } = flags
  const set = [...flags.set, ...assignmentsOf(instruments, flags)]
  const { config, file } = load({ ...flags, set }, process.env, ANY_CONTROL)
  refuseRecorded(config)
  const mode: Mode = flags.live ? 'live' : flags.demo ? 'demo' : (config.mode ?? (file ? 'live' : 'demo'))
  const progress = createProgress({ label: 'recorded', toldEvery: TOLD_EVERY, ...(until === undefined ? {} : { total: until }) })
  const log = logBeside(progress, config)

  const asked = endAsked()
  const street = mode === 'demo' ? openStreet(config, { speed: '1' }, log) : undefined
  const began = Date.now()
  let told: Outcome
  try {
    const served = street ? { ...config, ...(await onStreet(street, config)), ...watching(instruments) } : config
    told = await recorded(served, { mode, log, progress, instruments, asked, until })
  } catch (error) {
    throw listenFault(error as Error, config) ?? error
  } finally {
    progress.end()
    await street?.stop()
  }
  tell(told, config, Date.now() - began, flags)
}

/** What the person said stands above file and environment. */
function assignmentsOf(instruments: readonly string[], { what, directory, logFile }: RecordFlags): string[] {
  return [
    `journal.record=${what}`,
    ...(directory === undefined ? [] : [`journal.directory=${directory}`]),
    ...(logFile === undefined ? [] : [`journal.logFile=${logFile}`]),
    ...(instruments.length === 0 ? [] : [`watch=${instruments.join(',')}`])
  ]
}

/** The street has a list of its own. */
const watching = (instruments: readonly string[]): Partial<Pick<Config, 'watch'>> =>
  instruments.length === 0 ? {} : { watch: [...instruments] }

/** To stderr, and only what a person must know; the bar makes room for it. */
function logBeside(progress: Progress, config: Config): Log {
  const write = (line: string): void => {
    progress.clear()
    process.stderr.write(line)
  }
  const level = config.log.level === 'info' ? 'warn' : config.log.level
  return createLog({ level, secrets: secretsOf(config), destination: { write } })
}

/** Ctrl-C, or a supervisor; who asks twice does not wait for the disk. */
function endAsked(): AbortSignal {
  const asked = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (asked.signal.aborted) process.exit(130)
      asked.abort()
    })
  return asked.signal
}

type Work = {
  mode: Mode
  log: Log
  progress: Progress
  instruments: readonly string[]
  asked: AbortSignal
  until: number | undefined
}

/** `isBarren`: nobody had any of the instruments that were named; `trouble`: why the last could not be written that could not. */
type Outcome = { status: RecordingStatus; isBarren: boolean; trouble: string | undefined }

const troubleIn = ({ state, reason }: RecordingStatus): string | undefined =>
  state === 'full' || state === 'failed' ? reason : undefined

/** Runs until it is told to end, and returns what was written by then. */
async function recorded(config: Config, { mode, log, progress, instruments, asked, until }: Work): Promise<Outcome> {
  const open = openPlant(config, { mode, log, connections: () => [] })
  const { recording } = open
  let trouble: string | undefined
  const strangers = (): string[] => instruments.filter((text) => !open.instruments.resolve(text).ok)
  try {
    await Promise.race([open.start(), aborted(asked)])
    const began = Date.now()
    const isOver = (): boolean => asked.aborted || (until !== undefined && Date.now() - began >= until)
    say(progress, opening(recording.status(), config, mode))
    if (strangers().length > 0) say(progress, `no provider lists ${strangers().join(', ')} so far`)
    while (!isOver()) {
      const status = recording.status()
      const { events, frames, bytes } = status
      trouble = troubleIn(status) ?? trouble
      progress.set(until === undefined ? events + frames : Date.now() - began, `${contents(status)}, ${size(bytes)}`)
      await wait(LOOKED_EVERY, undefined, { signal: asked }).catch(() => {})
    }
  } finally {
    trouble = troubleIn(recording.status()) ?? trouble
    await open.stop()
  }
  const isBarren = instruments.length > 0 && strangers().length === instruments.length
  return { status: recording.status(), isBarren, trouble }
}

const aborted = (asked: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    asked.addEventListener('abort', () => resolve(), { once: true })
  })

function say(progress: Progress, text: string): void {
  progress.clear()
  console.error(plain(text))
}

const opening = ({ run, what }: RecordingStatus, { journal }: Config, mode: Mode): string =>
  `Recording ${what.join(' and ')}${mode === 'demo' ? ' of simulated providers' : ''} into ${journal.directory}/${run ?? ''}; Ctrl-C ends it.`

/** The name of the run to stdout, for scripts; what to do with it to stderr, for people. */
function tell({ status, isBarren, trouble }: Outcome, { journal }: Config, elapsed: number, { directory }: RecordFlags): void {
  const { run = '', events, frames, bytes, lost } = status
  console.log(run)
  const where = directory === undefined ? '' : ` --directory ${journal.directory}`
  console.error(
    plain(`Recorded ${contents(status)} in ${span(elapsed)}: ${size(bytes)}.`) +
      (lost > 0 ? `\n${amount(lost, 'entry', 'entries')} could not be written: ${plain(trouble ?? status.reason)}` : '') +
      `\nReplay it: tickwire replay ${run}${where}`
  )
  if (isBarren || events + frames === 0 || lost > 0) process.exitCode = 1
}

const contents = ({ what, events, frames }: RecordingStatus): string =>
  what.map((each) => (each === 'events' ? amount(events, 'event') : amount(frames, 'frame'))).join(' and ')

const amount = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`

/** 812 B, 3.2 MB. */
function size(bytes: number): string {
  const step = bytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${step === 0 ? bytes : (bytes / 1_000 ** step).toFixed(1)} ${['B', 'kB', 'MB', 'GB', 'TB'][step]}`
}
