/** The past of one chart: asked for, asked for again where it cannot be had yet, and why it is short until then. */
import type { Interval } from '@tickwire/protocol'
import type { Desk, Past } from './dialect.ts'
import { joined, SHOWN, WANTED, type Bars } from './ziggy.bars.ts'

/** How far it is with the past of a chart. */
export type Quest = {
  /** What came, and was not taken yet. */
  found?: Past
  /** Something came at least once. */
  answered: boolean
  /** When it is asked for; infinite while it is under way, when it is there, and when it was asked for often enough. */
  askAt: number
  tries: number
  /** Why it is not whole. */
  why?: string
}

/** The wait before the second try; each later one is twice as long, up to the longest. */
const FIRST_WAIT = 500
const LONGEST_WAIT = 60_000
/** A quarter of an hour in all. */
const MOST_TRIES = 20
/** Whoever has been told that something is missing can wait for the provider itself. */
const PATIENCE = 10_000

export const openQuest = (now: number): Quest => ({ answered: false, askAt: now, tries: 0 })
/** Of what is told once: it is waited for, and not asked for again. */
export const openLast = (now: number): Quest => ({ answered: false, askAt: now, tries: MOST_TRIES - 1 })

type Sought = { instrument: string; timeframe: Interval; bars: Bars; quest: Quest }

/** Asks when it is due. The answer comes between two messages, and the next tick finds it. */
export function askPast({ instrument, timeframe, quest }: Sought, desk: Desk, now: number): void {
  if (now < quest.askAt) return
  quest.askAt = Infinity
  const patience = quest.tries++ === 0 ? undefined : PATIENCE
  desk.past(instrument, timeframe, WANTED, patience).then(
    (past) => (quest.found = past),
    (error: Error) => (quest.found = { candles: [], why: error.message })
  )
}

const isOver = ({ askAt, tries, found, why }: Quest): boolean =>
  why !== undefined && !found && askAt === Infinity && tries >= MOST_TRIES

/** What was given up is asked for anew; what is under way goes on as it is. */
export function renew(quest: Quest, now: number): void {
  if (!isOver(quest)) return
  quest.tries = 0
  quest.askAt = now + FIRST_WAIT
}

/** What came goes under what is there. False until there was a first answer; `all`: the client must be told anew. */
export function takePast(chart: Sought & { all: boolean }, now: number): boolean {
  const { quest } = chart
  const { found } = quest
  if (!found) return quest.answered
  chart.bars = joined(found.candles, chart.bars)
  const wasShort = quest.why !== undefined
  quest.answered = true
  delete quest.found
  delete quest.why
  if (found.why === undefined || chart.bars.length >= WANTED) chart.all ||= wasShort
  else {
    quest.why = found.why
    if (quest.tries < MOST_TRIES) quest.askAt = now + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (quest.tries - 1))
    else chart.all = true
  }
  return true
}

type Missing = { bars: number; reason: string; asked_again: boolean }

/** Of a hundred bars, those that are not here; null where nothing is missing. */
export function missingOf({ bars, quest }: Pick<Sought, 'bars' | 'quest'>): Missing | null {
  const count = Math.max(0, SHOWN - bars.length)
  if (quest.why !== undefined) return { bars: count, reason: quest.why, asked_again: !isOver(quest) }
  return count === 0 ? null : { bars: count, reason: 'nobody who could be asked has bars before these', asked_again: false }
}
