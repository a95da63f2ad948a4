/** The way to a provider and back, measured now and then by a ping; and whether there is anybody at its other end. */
export type Probed = {
  link?: { ping?: () => void } | undefined
  liveSince?: number | undefined
  /** When the ping left that is not answered yet, and when the next may leave. */
  pingedAt?: number | undefined
  probeAt: number
  /** Pings in a row that were not answered; and whether one ever was. */
  missed: number
  answers: boolean
}

const PROBE_EVERY = 10_000
const MISSED = 2

/** True when nobody is there: one who answered pings lets two of them pass, and says nothing else; `heard` is when a frame came last. */
export function probe(slot: Probed, heard: number, now: number): boolean {
  if (!slot.link?.ping || slot.liveSince === undefined || now < slot.probeAt) return false
  if (slot.pingedAt !== undefined && ++slot.missed >= MISSED && slot.answers && heard < slot.pingedAt) return true
  slot.pingedAt = now
  slot.probeAt = now + PROBE_EVERY
  slot.link.ping()
  return false
}

/** How long it took, unless nobody knows which ping this answers. */
export function ponged(slot: Probed, now: number): number | undefined {
  const took = slot.missed === 0 && slot.pingedAt !== undefined ? now - slot.pingedAt : undefined
  slot.answers = true
  slot.missed = 0
  slot.pingedAt = undefined
  return took
}
