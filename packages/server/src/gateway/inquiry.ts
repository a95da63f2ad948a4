/**
 * A token that is looked at, which takes a while, and what its client says meanwhile: nothing of that is heeded before it is known whose it
 * is. It waits in order, so much and no more.
 */
export type InquiryLimits = { messages: number; characters: number }

/** `hold`: nothing more is read of the client for now. */
export function createInquiry({ messages, characters }: InquiryLimits, hold: (held: boolean) => void = () => {}) {
  const waiting: { act: () => void; size: number }[] = []
  let size = 0
  let isOpen = false
  let isOver = false

  /** One after another, until the next token. */
  const goOn = () => {
    const next = isOpen || isOver ? undefined : waiting.shift()
    if (!next) return
    size -= next.size
    next.act()
    goOn()
  }

  return {
    isOpen: () => isOpen,

    /** Done when it is known; false where too much waits already. */
    wait(act: () => void, length: number): boolean {
      if (waiting.length >= messages || size + length > characters) return false
      size += length
      waiting.push({ act, size: length })
      return true
    },

    /** One at a time. `decide` is not called where it is over by then. */
    begin<Found>(finding: Promise<Found>, decide: (found: Found) => void): void {
      isOpen = true
      hold(true)
      void finding.then((found) => {
        if (isOver) return
        isOpen = false
        hold(false)
        decide(found)
        goOn()
      })
    },

    /** The client is gone, or going: nothing of what waits is done. */
    end(): void {
      isOver = true
      // The answer to our close frame is read still.
      if (isOpen) hold(false)
      waiting.length = 0
    }
  }
}
