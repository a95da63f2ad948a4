/** What was thrown, in words: a program may throw anything, also what makes no text of itself. */
export function wordsOf(cause: unknown): string {
  try {
    return String(cause)
  } catch {
    return 'something that makes no text of itself'
  }
}
