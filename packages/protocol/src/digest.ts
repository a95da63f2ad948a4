/**
 * The running digest of a topic: two readers with equal digests at one `seq` have been given the same events, each once and in
 * order. It proves completeness, not authenticity: that is what TLS is for. PROTOCOL.md, section 4.1.
 */

/** FNV-1a of the characters of `epoch topic`: the digest before the first event. */
export function digestOf(epoch: string, topic: string): number {
  let hash = 0x811c9dc5
  const name = `${epoch} ${topic}`
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const step = (hash: number, word: number): number => {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** After one more event; `published` is epoch ms, of which the fraction does not count. */
export function digestAfter(digest: number, { seq, published }: { seq: number; published: number }): number {
  const whole = Math.floor(published)
  return step(step(step(digest, seq >>> 0), whole >>> 0), Math.floor(whole / 0x1_0000_0000))
}
