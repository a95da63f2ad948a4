/** A tape for each provider of the map: what it sends when it is well, what it may send when it is not, and the road of both. */
import { answering } from './hostile.answers.ts'
import { malformed } from './hostile.kinds.ts'
import { packed } from './hostile.packed.ts'
import { socketRoad } from './hostile.roads.ts'
import { SPOKEN, type Spoken } from './hostile.spoken.ts'
import type { Tape } from './hostile.tape.ts'
import { tws } from './hostile.tws.ts'

function spoken(provider: string, tape: Spoken): Tape {
  const { symbol, trade, sequence, price, size, time, name } = tape
  return {
    provider,
    what: 'JSON on a socket',
    good: (n) => JSON.stringify(trade(n)),
    malformed: () => malformed(trade(1), { price, size, time, name }),
    road: () => socketRoad({ provider, symbol, kind: 'trade' }),
    ...(tape.through && { through: tape.through }),
    next: (frame) => (sequence === undefined || usesUp(String(frame), sequence) ? 2 : 1)
  }
}

function usesUp(text: string, sequence: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object' && text.includes(`"${sequence}":`)
  } catch {
    return false
  }
}

export const tapes: readonly Tape[] = [
  ...Object.entries(SPOKEN).map(([provider, tape]) => spoken(provider, tape)),
  ...packed,
  ...answering,
  tws
]
