/** What is missing of the chosen instrument and what became of it: the past by REST, then live. */
import type { Gap, GapFilled, Published } from '@tickwire/client'
import { useEffect, useState } from 'react'
import { useTopics } from './connection.ts'
import { age } from './format.ts'
import { onTurn } from './link.ts'
import { eventsOf, gapCause, gapText, HOW } from './notices.ts'
import { touch } from './pulse.ts'
import { fetchGaps, type Fill, type KnownGap } from './rest.ts'

const KEEP = 100
const known = new Map<string, Map<string, KnownGap>>()
onTurn(() => known.clear())

export const gapsOf = (instrument: string): readonly KnownGap[] => [...(known.get(instrument)?.values() ?? [])]

/** Either half may come first: a filling whose gap is not known yet is told again by REST. */
function take(gaps: Map<string, KnownGap>, event: Published<Gap> | Published<GapFilled>): void {
  if (event.type === 'gap') {
    if (event.id === undefined) return
    const before = gaps.get(event.id)
    gaps.set(event.id, { ...event, id: event.id, state: before?.state ?? 'open', fills: before?.fills ?? [] })
    const oldest = gaps.size > KEEP ? gaps.keys().next().value : undefined
    if (oldest !== undefined) gaps.delete(oldest)
    return
  }
  const gap = gaps.get(event.gap)
  if (!gap) return
  const { how, by, items, from, to, own, time: at } = event
  const isNew = !gap.fills.some((fill) => fill.from === from && fill.to === to && fill.by === by)
  const fill: Fill = { how, by, items, from, to, at }
  if (own) fill.own = own
  // What came on the provider's own topic alone leaves the hole in the stream that is shown.
  const state = own && !gap.own ? gap.state : 'filled'
  gaps.set(event.gap, { ...gap, state, fills: isNew ? [...gap.fills, fill] : gap.fills })
}

/** Keeps the gaps of one instrument while it is shown; `gaps:<instrument>` beats when one changes. */
export function useGaps(instrument: string): void {
  const [turn, setTurn] = useState(0)
  useTopics([`gap:${instrument}`], (event) => {
    if (event.type !== 'gap' && event.type !== 'gap_filled') return
    const gaps = known.get(instrument) ?? new Map<string, KnownGap>()
    known.set(instrument, gaps)
    take(gaps, event)
    touch(`gaps:${instrument}`)
    // What is known of a gap after its first word, as why it stays open, is told by REST alone.
    setTurn((n) => n + 1)
  })
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(
      () => {
        void fetchGaps(instrument, stop.signal).then((answer) => {
          if (stop.signal.aborted || !answer.ok) return
          known.set(instrument, new Map(answer.value.map((gap) => [gap.id, gap])))
          touch(`gaps:${instrument}`)
        })
      },
      Math.min(turn, 1) * 500
    )
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [instrument, turn])
}

/** A gap in words, with what came of it. */
export function gapStory(gap: KnownGap): string {
  const { fills, state, why, lasting } = gap
  // Of one that goes on the length so far is no length.
  if (state === 'open')
    return `${gapText(lasting ? { ...gap, to: gap.from } : gap)}${lasting ? ', and it goes on' : ''}${why ? `: ${why}` : ''}`
  const told = gap.action === 'open' ? gapCause(gap) : gapText(gap)
  const items = fills.reduce((sum, fill) => sum + fill.items, 0)
  const last = fills.at(-1)
  if (!last) return `${told}; filled`
  const after = last.at > gap.to ? ` after ${age(last.at - gap.to)}` : ''
  return `${told}; filled${after}: ${eventsOf(items)}, ${HOW[last.how]} ${last.by}`
}
