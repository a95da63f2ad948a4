/** What a cursor (protocol, cursor.ts) that comes from outside says, where it is one of ours. */
import { headOf, NEW_TOPIC } from '@tickwire/protocol'

export { encodeCursor, encodeSeq, headOf, hashText } from '@tickwire/protocol'

export const decodeSeq = (text: string): number | undefined => {
  if (text === '') return 0
  return /^[1-9a-z][0-9a-z]{0,9}$/.test(text) ? Number.parseInt(text, 36) : undefined
}

/** The marks, where the text was made in this epoch for these topics. */
export function decodeCursor(text: string, epoch: string, topics: readonly string[]): readonly string[] | undefined {
  const head = `${headOf(epoch, topics)}~`
  if (!text.startsWith(head)) return undefined
  const marks = text.slice(head.length).split('~')
  return marks.length === topics.length ? marks : undefined
}

/** The sequences of the topics, where the text holds nothing but those: that of an event or of a cursor without fields. `null`: it has none yet. */
export function decodeSeqs(text: string, epoch: string, topics: readonly string[]): readonly (number | null)[] | undefined {
  const seqs = decodeCursor(text, epoch, topics)?.map((mark) => (mark === NEW_TOPIC ? null : decodeSeq(mark)))
  return seqs?.every((seq) => seq !== undefined) ? seqs : undefined
}
