/** From a document to its items: RSS of all ages, RDF, Atom and JSON Feed say the same things in other words. */
import { parseFeed } from 'feedsmith'
import { dateOf } from './rss.dates.ts'
import { escaped, inner, isMixed, kid, kids, parse, wordsOf, type Node } from './rss.xml.ts'
import * as values from './values.ts'

export type Item = {
  guid?: string | undefined
  link?: string | undefined
  /** HTML, as are the bodies. */
  title?: string | undefined
  body?: string | undefined
  time: number
  updated: number
  author?: string | undefined
  source?: string | undefined
  image?: string | undefined
  categories: readonly string[]
  symbols: readonly string[]
}
export type Document = {
  title?: string | undefined
  items: readonly Item[]
  /** How long it need not be asked again, minutes, and in which hours of UTC and on which days not at all. */
  ttl?: number | undefined
  skipHours: readonly number[]
  skipDays: readonly string[]
}

const MOST = 500
export const isAddress = (text: string): boolean => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)

export function documentOf(text: string, address: string): Document {
  if (/^\uFEFF?\s*\{/.test(text)) return jsonOf(text, address)
  const root = parse(text, address)
  if (!root) throw new Error('neither RSS nor Atom')
  const channel = root.name.endsWith('feed') ? root : kid(root, 'channel')
  const site = absolute(wordsOf(kid(channel, 'link')), address) ?? address
  // RDF has them beside the channel.
  const rows = [channel, ...(channel === root ? [] : [root])].flatMap((one) => kids(one, 'item', 'entry', 'atom:entry'))
  const whole = rows.filter(({ cut }) => cut === undefined).slice(0, MOST)
  const items = whole.map((node) => (node.name === 'item' ? itemOf(node, site) : entryOf(node)))
  const period = PERIODS[wordsOf(kid(channel, 'sy:updateperiod')) ?? '']
  const often = Number(wordsOf(kid(channel, 'sy:updatefrequency')) ?? 1)
  const ttl = Number(wordsOf(kid(channel, 'ttl')) ?? (period === undefined ? NaN : period / often))
  return {
    title: wordsOf(kid(channel, 'title', 'atom:title')),
    items,
    ...(ttl > 0 && { ttl }),
    skipHours: kids(kid(channel, 'skiphours'), 'hour').map((hour) => Number(wordsOf(hour)) % 24),
    skipDays: kids(kid(channel, 'skipdays'), 'day').map((day) => (wordsOf(day) ?? '').slice(0, 3).toLowerCase())
  }
}
const PERIODS: Readonly<Record<string, number>> = { hourly: 60, daily: 1_440, weekly: 10_080 }

const absolute = (link: string | undefined, base: string): string | undefined => {
  const said = link?.trim()
  if (said === undefined || said === '' || !URL.canParse(said, base)) return undefined
  const url = new URL(said, base).href
  if (!isAddress(url)) return undefined
  return isAddress(said) ? said : url
}

// ---- RSS and RDF ---------------------------------------------------------------------------------------------------

function itemOf(node: Node, site: string): Item {
  const guid = wordsOf(kid(node, 'guid', 'atom:id', 'dc:identifier')) ?? node.attributes['rdf:about'] ?? about(node)
  const permanent = kid(node, 'guid')?.attributes.ispermalink?.toLowerCase() !== 'false'
  const alternate = kids(node, 'atom:link').find(({ attributes: { rel } }) => rel === undefined || rel === 'alternate')
  const link =
    absolute(wordsOf(kid(node, 'link')) ?? kid(node, 'link')?.attributes.href, site) ??
    absolute(alternate?.attributes.href, node.base) ??
    (permanent && guid !== undefined && isAddress(guid) ? guid : undefined)
  const author =
    wordsOf(kid(node, 'dc:creator')) ?? wordsOf(kid(node, 'author')) ?? wordsOf(kid(kid(node, 'atom:author'), 'atom:name'))
  return {
    guid,
    link,
    title: inner(kid(node, 'title', 'dc:title', 'media:title')),
    body: firstSaid(
      node,
      'description',
      'content:encoded',
      'atom:summary',
      'atom:content',
      'dc:description',
      'media:description'
    ),
    time: firstDate(
      node,
      'pubdate',
      'dc:date',
      'dc:issued',
      'dc:created',
      'atom:published',
      'date',
      'atom:updated',
      'dc:modified'
    ),
    updated: firstDate(node, 'atom:updated', 'dc:modified', 'atom:modified'),
    // `a@b.example (Bob)`
    author: /\(([^()]+)\)\s*$/.exec(author ?? '')?.[1] ?? author,
    source: wordsOf(kid(node, 'source')),
    image: imageOf(node),
    categories: kids(node, 'category', 'dc:subject').flatMap((one) => wordsOf(one) ?? []),
    symbols: symbolsOf(node)
  }
}
const about = ({ attributes }: Node): string | undefined =>
  Object.entries(attributes).find(([key]) => key.endsWith(':about'))?.[1]

const firstDate = (node: Node, ...names: readonly string[]): number => {
  for (const name of names) {
    const time = dateOf(wordsOf(kid(node, name)))
    if (!Number.isNaN(time)) return time
  }
  return NaN
}
const firstSaid = (node: Node, ...names: readonly string[]): string | undefined =>
  names.map((name) => inner(kid(node, name))).find((text) => text !== undefined && text.trim() !== '')

function imageOf(node: Node): string | undefined {
  const groups = [node, ...kids(node, 'media:group')]
  const media = groups.flatMap((one) => kids(one, 'media:content', 'media:thumbnail', 'enclosure', 'atom:link'))
  const found = media.find(
    ({ name, attributes: { url = '', type = '', medium, rel } }) =>
      name === 'media:thumbnail' ||
      medium === 'image' ||
      (type.startsWith('image/') && (name !== 'atom:link' || rel === 'enclosure')) ||
      (name === 'media:content' && /\.(?:jpe?g|png|gif|webp)(?:\?|$)/i.test(url))
  )
  return absolute(found?.attributes.url ?? found?.attributes.href, node.base)
}

/** Named outright by an element or a category made for that: `nasdaq:tickers`, `sa:symbol`, `<category type="symbol">`. */
function symbolsOf(node: Node): string[] {
  const deeper = node.children.flatMap((one) => (typeof one === 'string' ? [] : [one, ...kids(one, ...STOCK_NAMES(one))]))
  const typed = deeper.filter(
    ({ name, attributes: { type, domain, scheme } }) =>
      /:(?:symbol|ticker)s?$/.test(name) ||
      (/(?:^|:)category$/.test(name) && [type, domain, scheme].some((one) => /(?:^|[/#])symbol$/i.test(one ?? '')))
  )
  return typed
    .flatMap((one) => (wordsOf(one) ?? one.attributes.term ?? '').split(/[\s,;]+/))
    .filter((symbol) => /^[A-Z0-9^][A-Z0-9.:=-]{0,14}$/.test(symbol))
}
const STOCK_NAMES = ({ children }: Node): string[] =>
  children.flatMap((one) => (typeof one !== 'string' && /:(?:symbol|ticker)s?$/.test(one.name) ? [one.name] : []))

// ---- Atom ----------------------------------------------------------------------------------------------------------

const atom = (node: Node | undefined, ...names: readonly string[]): Node | undefined =>
  kid(node, ...names.flatMap((name) => [`atom:${name}`, name]))

/** Text is text, and no HTML, unless its type says otherwise. */
function said(node: Node | undefined): string | undefined {
  if (!node) return undefined
  const { type = 'text', mode } = node.attributes
  const written = inner(node) ?? ''
  if (isMixed(node)) return written
  // Nobody says the mode any more; some say so by the type.
  const text = mode === 'base64' || type === 'application/octet-stream' ? Buffer.from(written, 'base64').toString() : written
  if (type === 'application/octet-stream') return text
  return /html/i.test(type) ? text : escaped(text)
}

function entryOf(node: Node): Item {
  const links = kids(node, 'atom:link', 'link').filter(({ attributes: { href } }) => href !== undefined)
  const chosen =
    links.find(
      ({ attributes: { rel, type } }) => (rel === undefined || rel === 'alternate') && (type === undefined || /html/.test(type))
    ) ??
    links.find(({ attributes: { rel } }) => rel === undefined || rel === 'alternate') ??
    links.find(({ attributes: { rel } }) => !['self', 'enclosure', 'edit', 'replies', 'license', 'hub'].includes(rel ?? ''))
  const guid = wordsOf(atom(node, 'id'))
  const bodies = [said(atom(node, 'summary')), said(atom(node, 'content')), firstSaid(node, 'media:description')]
  const people = kids(node, 'atom:author', 'author')[0]
  const date = (...names: readonly string[]) => firstDate(node, ...names.flatMap((name) => [`atom:${name}`, name]))
  const published = date('published', 'issued', 'created')
  const updated = date('updated', 'modified')
  return {
    guid,
    link:
      absolute(chosen?.attributes.href, chosen?.base ?? node.base) ??
      (guid !== undefined && links.length === 0 && isAddress(guid) ? guid : undefined),
    title: said(atom(node, 'title')),
    body: bodies.find((text) => text !== undefined && text.trim() !== ''),
    time: Number.isNaN(published) ? firstOf(updated, firstDate(node, 'dc:date')) : published,
    updated,
    author: wordsOf(atom(people, 'name')) ?? wordsOf(people) ?? wordsOf(kid(node, 'dc:creator')),
    source: wordsOf(atom(atom(node, 'source'), 'title')),
    image: imageOf(node),
    categories: kids(node, 'atom:category', 'category', 'dc:subject').flatMap((one) => one.attributes.term ?? wordsOf(one) ?? []),
    symbols: symbolsOf(node)
  }
}
const firstOf = (...times: readonly number[]): number => times.find((time) => !Number.isNaN(time)) ?? NaN

// ---- JSON Feed -----------------------------------------------------------------------------------------------------

type Row = Record<string, unknown>
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : typeof value === 'number' ? String(value) : undefined

function jsonOf(source: string, address: string): Document {
  const { feed } = parseFeed(source.replace(/^\uFEFF/, '')) as { feed: Row }
  const rows = (Array.isArray(feed.items) ? feed.items : []).filter(values.isRecord).slice(0, MOST)
  const items = rows.map((row): Item => {
    const authors = Array.isArray(row.authors) ? (row.authors as unknown[]) : [row.author]
    const plain = text(row.summary) ?? text(row.content_text)
    const title = text(row.title)
    return {
      guid: text(row.id),
      link: absolute(text(row.url) ?? text(row.external_url), address),
      title: title === undefined ? undefined : escaped(title),
      body: plain === undefined ? text(row.content_html) : escaped(plain),
      time: firstOf(dateOf(row.date_published), dateOf(row.date_modified)),
      updated: dateOf(row.date_modified),
      author: authors.map((one) => (values.isRecord(one) ? text(one.name) : text(one))).find((name) => name !== undefined),
      image: absolute(text(row.image) ?? text(row.banner_image), address),
      categories: (Array.isArray(row.tags) ? (row.tags as unknown[]) : []).flatMap((tag) => text(tag) ?? []),
      symbols: []
    }
  })
  return { title: text(feed.title), items, skipHours: [], skipDays: [] }
}
