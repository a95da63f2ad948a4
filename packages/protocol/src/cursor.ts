/**
 * Where a reader stands in several topics, as one short text: the id of an SSE event and the cursor of REST, so that either
 * goes on where the other stood. Nothing is remembered of it anywhere, so it outlives its connection and any cache.
 */

/** FNV-1a, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const escaped = (epoch: string): string =>
  epoch.replaceAll(/[^\w-]/g, (char) => `.${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * Epoch and topics. Sequences alone would be read as those of other topics, where a client comes back with the text of
 * another address that has as many.
 */
export const headOf = (epoch: string, topics: readonly string[]): string =>
  `${escaped(epoch)}~${hashText(topics.join(' ')).toString(36)}`

/** 0 is nothing at all: most topics of a long list may not have begun. */
export const encodeSeq = (seq: number): string => (seq === 0 ? '' : seq.toString(36))

/** In the place of a sequence: of this topic its reader has nothing yet, and wants its last value. */
export const NEW_TOPIC = '*'

/** `epoch~topics~mark~mark…`, a mark for each topic. */
export const encodeCursor = (epoch: string, topics: readonly string[], marks: readonly string[]): string =>
  [headOf(epoch, topics), ...marks].join('~')
