/** The list of words that both sides of a sheet have, so that a cell of text is a number. */

/** Words that are new; `from` 0 begins the list anew. */
export type Words = { from: number; added: readonly string[] }

/** Then it begins anew, so that neither side keeps what nobody says any more; a batch adds less than nine for each of its entries. */
const MOST_WORDS = 16_384

/** Whatever is said, so that there is a word before any was met. */
export const FIRST = ''

export function createWords() {
  const known = new Map([[FIRST, 0]])
  let added = [FIRST]
  return {
    placeOf: (word: string): number => {
      const place = known.get(word)
      if (place !== undefined) return place
      added.push(word)
      known.set(word, known.size)
      return known.size - 1
    },
    /** `anew`: what was said before is forgotten, here and there. */
    take(): { words: Words; anew: boolean } {
      const words = { from: known.size - added.length, added }
      added = []
      const anew = known.size > MOST_WORDS
      if (anew) {
        known.clear()
        known.set(FIRST, 0)
        added.push(FIRST)
      }
      return { words, anew }
    }
  }
}
