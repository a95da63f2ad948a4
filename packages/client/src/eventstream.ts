/** Reads text/event-stream as it comes, in pieces of any size. Pure. */
export type Block = { event: string; data: string }

/** Answers with the blocks that are complete; a comment is a block without event. */
export function createReader(): (text: string) => Block[] {
  let rest = ''
  let block: Block = { event: '', data: '' }
  let isEmpty = true

  const line = (text: string): Block | undefined => {
    if (text === '') {
      const done = block
      const wasEmpty = isEmpty
      block = { event: '', data: '' }
      isEmpty = true
      return wasEmpty ? undefined : done
    }
    isEmpty = false
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') block.event = value
    else if (field === 'data') block.data = block.data === '' ? value : `${block.data}\n${value}`
    return undefined
  }

  return (text) => {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    return lines.flatMap((each) => line(each) ?? [])
  }
}
