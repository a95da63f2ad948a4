/** A recorded session read from the captures: its frames, when each came, and what REST answered meanwhile. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { RecordingPlan } from './venues.ts'

export type Recording = {
  /** Of the first subscription, epoch milliseconds. */
  start: number
  frames: readonly string[]
  /** Milliseconds from the first subscription to each frame. */
  offsets: readonly number[]
  answers: readonly { path: string; query: Readonly<Record<string, string>>; body: unknown }[]
}

/** A capture may be stored compressed. */
function read(directory: string, file: string): string {
  const path = join(directory, file)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  if (existsSync(`${path}.gz`)) return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8')
  throw new Error(`the capture ${path} is missing, also as ${file}.gz`)
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

type Trace = { t: string; ts: number; line?: number }

/** When it began, and from then on each frame: from the trace, which has seconds; without one from the times in the frames, and frames without a time come with the next. */
function offsetsOf(frames: readonly string[], trace: readonly Trace[] | undefined): Pick<Recording, 'start' | 'offsets'> {
  if (trace) {
    const from = (trace.find((row) => row.t === 'send') ?? trace.find((row) => row.t === 'connect'))!.ts
    const byLine = new Map(
      trace.filter((row) => row.t === 'recv').map((row) => [row.line!, Math.max(0, (row.ts - from) * 1_000)])
    )
    let last = 0
    return { start: from * 1_000, offsets: frames.map((_, line) => (last = byLine.get(line) ?? last)) }
  }
  const times = frames.map((frame) => Date.parse(/"timestamp":"([^"]+)"/.exec(frame)?.[1] ?? ''))
  const from = times.find((time) => !Number.isNaN(time)) ?? 0
  let last = 0
  return { start: from, offsets: times.map((time) => (last = Number.isNaN(time) ? last : Math.max(last, time - from))) }
}

export function readRecording(captures: string, plan: RecordingPlan): Recording {
  const directory = join(captures, plan.provider)
  const frames = linesOf(read(directory, `${plan.session}.jsonl`))
  const trace = plan.traced
    ? linesOf(read(directory, `${plan.session}.trace.jsonl`)).map((line) => JSON.parse(line) as Trace)
    : undefined
  const listing = { path: plan.listing.path, query: {}, body: JSON.parse(read(directory, plan.listing.file)) as unknown }
  const answers = plan.rest
    ? linesOf(read(directory, `${plan.session}.http.jsonl`)).map((line) => {
        const { url, body } = JSON.parse(line) as { url: string; body: unknown }
        const { pathname, searchParams } = new URL(url)
        return { path: pathname, query: Object.fromEntries(searchParams), body }
      })
    : []
  return { frames, ...offsetsOf(frames, trace), answers: [listing, ...answers] }
}
