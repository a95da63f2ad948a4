/** What a refusal says about when to come back. Pure. */

const LONGEST = 3_600_000
/** Too many requests, and nothing said of when: 429, and 418 for who was told so and went on. */
const USUAL = 5_000
const isTooMany = (status: number): boolean => status === 429 || status === 418

/** `Retry-After`, seconds or a date, as milliseconds from `now`; of a refusal for asking too much never nothing. */
export function retryAfter(header: string | null | undefined, status: number, now: number): number | undefined {
  const text = header?.trim() ?? ''
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now
  if (wait > 0) return Math.min(wait, LONGEST)
  return isTooMany(status) ? USUAL : undefined
}
