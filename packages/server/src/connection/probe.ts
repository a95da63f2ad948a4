/** The way to a provider and back, measured now and then by a ping. */
type Probed = {
  link?: { ping?: () => void } | undefined
  liveSince?: number | undefined
  pingedAt?: number | undefined
  probeAt: number
}

const PROBE_EVERY = 10_000

/** One ping at a time, so that its answer is known. */
export function probe(slot: Probed, now: number): void {
  if (!slot.link?.ping || slot.liveSince === undefined || slot.pingedAt !== undefined || now < slot.probeAt) return
  slot.pingedAt = now
  slot.probeAt = now + PROBE_EVERY
  slot.link.ping()
}
