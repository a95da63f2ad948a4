/** Reads XML as feeds send it, broken or not: a tree with names by namespace. Nothing of it is looked up, and no entity but HTML's is known. */
import { compile } from 'html-to-text'

export type Node = {
  /** Local name in lower case, with the short name of its namespace before it where that is neither RSS nor none: `dc:date`. */
  name: string
  attributes: Readonly<Record<string, string>>
  children: (Node | string)[]
  /** Address that relative ones in it begin from. */
  base: string
  /** The document ended within it. */
  cut?: true
}
type Open = Node & { spaces: Readonly<Record<string, string>>; tag: string }

const SPACES: Readonly<Record<string, string>> = {
  'http://purl.org/dc/elements/1.1': 'dc',
  'http://purl.org/dc/terms': 'dc',
  'http://purl.org/rss/1.0/modules/content': 'content',
  'http://purl.org/rss/1.0/modules/syndication': 'sy',
  'http://www.w3.org/2005/atom': 'atom',
  'http://purl.org/atom/ns': 'atom',
  'http://www.w3.org/1999/xhtml': 'xhtml',
  'http://www.w3.org/1999/02/22-rdf-syntax-ns': 'rdf',
  'http://purl.org/rss/1.0': '',
  'http://my.netscape.com/rdf/simple/0.9': '',
  'http://channel.netscape.com/rdf/simple/0.9': '',
  'http://backend.userland.com/rss2': ''
}
/** The maker of media RSS is a provider too. */
const MEDIA = /\/mrss$/
const DEEPEST = 100
const MOST_NODES = 300_000
const ITEMS = new Set(['item', 'atom:entry', 'entry'])
/** Where one of these was not closed, the next field closes it: neither holds elements. */
const LEAVES = new Set(['title', 'link', 'guid', 'pubdate'])
const FIELDS = new Set([...LEAVES, 'description', 'author', 'category', 'comments', 'enclosure', 'source'])

const named = new Map<string, string>([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', '\u00A0']
])
const windows = new TextDecoder('windows-1252')
const meaningOf = compile({ wordwrap: false })
/** Characters of Windows where control characters of Unicode are, and none that no text has. */
export const cleaned = (text: string): string =>
  text
    .replaceAll(/[\u0080-\u009F]/g, (c) => windows.decode(Uint8Array.of(c.charCodeAt(0))))
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\0-\u0008\u000B\u000C\u000E-\u001F]/g, '')

/** Once: what was escaped twice is HTML's business. What is no entity stays as it is. */
const decoded = (text: string): string =>
  text.includes('&') ? text.replaceAll(/&(#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]\w{1,30});/g, character) : text
function character(all: string, name: string): string {
  if (!name.startsWith('#')) {
    const known = named.get(name)
    if (known !== undefined) return known
    const meant = meaningOf(all)
    if (named.size < 3_000) named.set(name, meant)
    return meant
  }
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff) ? String.fromCodePoint(code) : ''
}

/** The end of a tag, not one within quotes; -1 where there is none. */
function tagEnd(text: string, from: number): number {
  const first = text.indexOf('>', from)
  let quote = ''
  for (let i = from; i < text.length && i < from + 20_000; i++) {
    const c = text[i]!
    if (quote !== '') quote = c === quote ? '' : quote
    else if ((c === '"' || c === "'") && /=\s*$/.test(text.slice(Math.max(from, i - 4), i))) quote = c
    else if (c === '>') return i
  }
  return first
}

/** A name begins where none stands before it: tried from within, a long one without a value costs the square of its length. */
const ATTRIBUTE = /(?<![^\s=/"'<>])([^\s=/"'<>]+) ?= ?(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g
function attributesOf(tag: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name, double, single, bare] of tag.slice(0, 20_000).replaceAll(/\s+/g, ' ').matchAll(ATTRIBUTE))
    found[name!.toLowerCase()] = decoded(double ?? single ?? bare ?? '')
  return found
}

const resolved = (address: string | undefined, base: string): string =>
  address !== undefined && URL.canParse(address, base) ? new URL(address, base).href : base

function opened(tag: string, parent: Open): Open {
  const [, raw = ''] = /^([^\s/]+)/.exec(tag) ?? []
  const attributes = attributesOf(tag.slice(raw.length))
  const declared = Object.entries(attributes).filter(([key]) => key === 'xmlns' || key.startsWith('xmlns:'))
  const own = declared.map(([key, uri]) => {
    const address = uri.trim().replace(/[/#]$/, '').toLowerCase()
    return [key.slice(6), SPACES[address] ?? (MEDIA.test(address) ? 'media' : key.slice(6) || 'other')] as const
  })
  const spaces = own.length === 0 ? parent.spaces : { ...parent.spaces, ...Object.fromEntries(own) }
  const lower = raw.toLowerCase()
  const colon = lower.indexOf(':')
  const prefix = colon < 0 ? '' : lower.slice(0, colon)
  const local = lower.slice(colon + 1)
  // A prefix that nobody declared is what it looks like.
  const space = spaces[prefix] ?? prefix
  const name = space === '' ? local : `${space}:${local}`
  return { name, tag: lower, attributes, children: [], base: resolved(attributes['xml:base'], parent.base), spaces }
}

/** The outermost element, or nothing where there is none. What was left open is closed, what the end cut off is marked. */
export function parse(source: string, address: string): Node | undefined {
  const text = cleaned(source)
  const root: Open = { name: '', tag: '', attributes: {}, children: [], base: address, spaces: {} }
  const stack: Open[] = [root]
  const top = () => stack.at(-1)!
  const closeTo = (depth: number) => void (stack.length = depth)
  const add = (part: string) => part !== '' && top().children.push(part)
  let nodes = 0
  let at = 0
  while (at < text.length && nodes < MOST_NODES) {
    const open = text.indexOf('<', at)
    add(decoded(text.slice(at, open < 0 ? text.length : open)))
    if (open < 0) break
    const next = text[open + 1] ?? ''
    if (text.startsWith('<![CDATA[', open)) {
      const end = text.indexOf(']]>', open)
      add(text.slice(open + 9, end < 0 ? text.length : end))
      at = end < 0 ? text.length : end + 3
    } else if (next === '!' || next === '?') {
      at = skipped(text, open)
    } else if (/[A-Za-z_/]/.test(next)) {
      const end = tagEnd(text, open)
      if (end < 0) break
      const tag = text.slice(open + 1, end)
      at = end + 1
      if (tag.startsWith('/')) {
        const name = tag.slice(1).trim().toLowerCase()
        const depth = stack.findLastIndex((one) => one.tag === name)
        if (depth > 0) closeTo(depth)
        continue
      }
      nodes++
      const node = opened(tag, top())
      makeRoom(node, stack, closeTo)
      top().children.push(node)
      if (!tag.endsWith('/') && stack.length < DEEPEST) stack.push(node)
    } else {
      add('<')
      at = open + 1
    }
  }
  for (const one of stack) one.cut = true
  return root.children.find((one): one is Node => typeof one !== 'string' && /(?:^|:)(?:rss|rdf|feed)$/.test(one.name))
}

/** An item ends the one before it, a field the one before it, where that was left open. */
function makeRoom(node: Node, stack: readonly Open[], closeTo: (depth: number) => void): void {
  if (ITEMS.has(node.name)) {
    const depth = stack.findIndex(({ name }) => ITEMS.has(name))
    if (depth > 0) closeTo(depth)
  } else if (FIELDS.has(node.name) && LEAVES.has(stack.at(-1)!.name)) closeTo(stack.length - 1)
}

/** Behind a comment, an instruction or a document type with all that it declares. */
function skipped(text: string, open: number): number {
  const past = (mark: string) => {
    const end = text.indexOf(mark, open)
    return end < 0 ? text.length : end + mark.length
  }
  if (text.startsWith('<!--', open)) return past('-->')
  if (text[open + 1] === '?') return past('>')
  const end = past('>')
  const subset = text.slice(open, end).indexOf('[')
  if (subset < 0 || !/^<!doctype/i.test(text.slice(open, open + 9))) return end
  const close = text.indexOf(']', open)
  const last = close < 0 ? -1 : text.indexOf('>', close)
  return last < 0 ? text.length : last + 1
}

// ---- reading the tree ----------------------------------------------------------------------------------------------

export const kids = (node: Node | undefined, ...names: readonly string[]): Node[] =>
  (node?.children ?? []).filter((one): one is Node => typeof one !== 'string' && names.includes(one.name))
/** The first of these names that is there, in the order of the names. */
export const kid = (node: Node | undefined, ...names: readonly string[]): Node | undefined => {
  for (const name of names) {
    const [one] = kids(node, name)
    if (one) return one
  }
  return undefined
}

export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const words = ({ children }: Node): string => children.filter((one) => typeof one === 'string').join('')
const markup = ({ children }: Node): string =>
  children
    .map((one) => {
      if (typeof one === 'string') return escaped(one)
      const local = one.name.slice(one.name.indexOf(':') + 1)
      return `<${local}>${markup(one)}</${local}>`
    })
    .join('')
export const isMixed = ({ children }: Node): boolean => children.some((one) => typeof one !== 'string')
/** What it says, elements in it written out again. */
export const inner = (node: Node | undefined): string | undefined => node && (isMixed(node) ? markup(node) : words(node))
/** Its text without markup, trimmed; nothing where there is none. */
export const wordsOf = (node: Node | undefined): string | undefined => {
  const text = node && words(node).trim()
  return text === '' ? undefined : text
}
