/** Words of a story: HTML as its text, one address and one id for one story, and the symbols that it names outright. */
import { compile } from 'html-to-text'
import { cleaned } from './rss.xml.ts'

/** Without pictures and addresses. Made once: that costs more than most texts. */
const convert = compile({
  wordwrap: false,
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'script', format: 'skip' },
    { selector: 'style', format: 'skip' },
    { selector: 'ul', options: { itemPrefix: ' ' } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } }))
  ]
})

/** HTML as its text. */
export function plain(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  // Cells of a table stand apart.
  const html = value.slice(0, 50_000).replaceAll(/<\/t[dh]>/gi, ' $&')
  const text = /[<&]/.test(html) ? convert(html) : html
  return cleaned(text).replaceAll(/\s+/g, ' ').trim()
}

const TRACKING = /^(utm_\w+|guccounter|guce_referrer\w*|\.tsrc|tsrc|fbclid|gclid|cmpid|rss)$/i
/** One story has many addresses: host in lower case, without fragment, tracking and a slash at the end. */
export function canonical(link: string): string {
  const url = new URL(link)
  url.hash = ''
  for (const key of Array.from(url.searchParams.keys())) if (TRACKING.test(key)) url.searchParams.delete(key)
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${url.search}`
}

/** FNV-1a, for stories that have neither an id nor a link. */
export function hash(text: string): string {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0
  return h.toString(16).padStart(8, '0')
}

const EXCHANGE_TAG = /\((?:NASDAQ|NYSE|NYSEARCA|NYSE American|NYSE Arca|AMEX|CBOE|BATS)(?:GS|GM|CM)?\s*:\s*([A-Z][A-Z.]{0,5})\)/gi
const CASH_TAG = /(?<![\w$])\$([A-Z]{1,5}(?:\.[A-Z])?)\b/g
/** The feed's own ticker, `$AAPL`, `(NASDAQ: AAPL)`. Bare words are never symbols. */
export function symbolsIn(text: string, feed: string): string[] {
  const asked = URL.canParse(feed) ? (new URL(feed).searchParams.get('s') ?? new URL(feed).searchParams.get('symbol')) : undefined
  const own = asked && !asked.includes(',') ? [asked] : []
  const tagged = [...text.matchAll(CASH_TAG), ...text.matchAll(EXCHANGE_TAG)].map(([, symbol]) => symbol!)
  return [...own, ...tagged.filter((symbol) => symbol === symbol.toUpperCase())]
}
