/** Whose the arbitrated stream is, by the times of its trades: of each time one provider's, or nobody's until somebody fills it. */
import type { Trade } from '@tickwire/protocol'

/** Until the next one. Without a provider it is a hole. */
type Reign = { from: number; provider?: string | undefined }
/** Trades that came in one answer: nothing is missing between them. */
type Answer = { provider: string; received: number; from: number; to: number }
export type Reigns = {
  /** In order; the first one reaches back as far as its provider knows. */
  list: Reign[]
  /** Time of the newest trade that was told by who reigns. */
  head: number
  answer?: Answer
}
export type Piece = { from: number; to: number; provider?: string | undefined }

/** What is before so many changes is nobody's, and nobody may fill it. */
const REIGNS = 128

export const openReigns = (): Reigns => ({ list: [], head: -Infinity })

/** A trade of the leader as it happened: from here on the stream is his. */
export function reign(reigns: Reigns, provider: string, time: number): void {
  const { list } = reigns
  const last = list.at(-1)
  if (last?.provider !== provider) {
    const from = last ? Math.max(time, reigns.head, last.from) : -Infinity
    list.push({ from, provider })
    if (list.length > REIGNS) list.shift()
  }
  reigns.head = Math.max(reigns.head, time)
}

/** The leader has lost what comes after: nobody delivers from there on, until somebody reigns again. */
export function cut(reigns: Reigns, from: number): void {
  const last = reigns.list.at(-1)
  // What was filled beyond it stays so.
  if (last?.provider !== undefined) paint(reigns, Math.max(from, reigns.head, last.from), Infinity, () => undefined)
}

/** All that nobody had of the span is his. */
export const give = (reigns: Reigns, provider: string, from: number, to: number): void =>
  paint(reigns, from, to, (who) => who ?? provider)

/** Whether a past trade belongs to the arbitrated stream: its provider reigned then, or nobody, and nobody has filled that very time. */
export function takes(reigns: Reigns, { provider, time, received }: Trade, leads: boolean): boolean {
  if (reigns.list.length === 0 && leads) reign(reigns, provider, time)
  const { answer } = reigns
  const isSame = answer?.provider === provider && answer.received === received
  const [from, to] = isSame ? [Math.min(answer.from, time), Math.max(answer.to, time)] : [time, time]
  reigns.answer = { provider, received, from, to }
  // Whatever was free between the first and the last of one answer is filled by it.
  give(reigns, provider, from, to)
  const owner = reigns.list.findLast((each) => each.from <= time)
  const belongs = owner !== undefined && (owner.provider ?? provider) === provider
  if (belongs && owner.provider !== undefined && owner === reigns.list.at(-1)) reigns.head = Math.max(reigns.head, time)
  return belongs
}

/** The span in its parts, each one provider's or nobody's. */
export function piecesOf({ list }: Reigns, from: number, to: number): Piece[] {
  const pieces: Piece[] = []
  const add = (piece: Piece): void => {
    if (piece.to > piece.from) pieces.push(piece)
  }
  add({ from, to: Math.min(to, list[0]?.from ?? Infinity) })
  list.forEach(({ from: start, provider }, at) =>
    add({ from: Math.max(from, start), to: Math.min(to, list[at + 1]?.from ?? Infinity), provider })
  )
  return pieces
}

function paint(reigns: Reigns, from: number, to: number, change: (who: string | undefined) => string | undefined): void {
  if (!(to > from)) return
  const list: Reign[] = []
  const add = ({ from: start, to: end, provider }: Piece): void => {
    if (end > start && (list.length === 0 || list.at(-1)?.provider !== provider)) list.push({ from: start, provider })
  }
  reigns.list.forEach(({ from: start, provider }, at) => {
    const end = reigns.list[at + 1]?.from ?? Infinity
    add({ from: start, to: Math.min(end, from), provider })
    add({ from: Math.max(start, from), to: Math.min(end, to), provider: change(provider) })
    add({ from: Math.max(start, to), to: end, provider })
  })
  reigns.list = list.slice(-REIGNS)
}
