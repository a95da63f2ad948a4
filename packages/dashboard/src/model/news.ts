/** The stories on the page: newest first, each once, an update in place of what it updates. */
import type { News, Published } from '@tickwire/client'
import { holdNews } from './connection.ts'
import { useDesk } from './desk.ts'
import { onTurn } from './link.ts'
import type { ProviderAbout } from './listing.ts'
import { fetchNews } from './rest.ts'

type Story = Published<News>
const KEEP = 200

export const keyOf = ({ provider, id }: News): string => `${provider} ${id}`

/** `newer` wins over what is there under the same key. */
export function addStories(stories: readonly Story[], newer: readonly Story[]): Story[] {
  const byKey = new Map([...stories, ...newer].map((story) => [keyOf(story), story]))
  return [...byKey.values()].sort((a, b) => b.time - a.time || b.seq - a.seq).slice(0, KEEP)
}

/** A story's address as a link may hold it: nothing but the web. */
export function linkOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  return ['http:', 'https:'].includes(new URL(url).protocol) ? url : undefined
}

/** Those that carry news. */
export const wires = (abouts: readonly ProviderAbout[]): ProviderAbout[] => abouts.filter(({ kinds }) => kinds?.includes('news'))

const add = (newer: readonly Story[]): void =>
  useDesk.setState(({ stories }) => ({ stories: addStories(stories, newer), newsTrouble: undefined }))

let held = false
onTurn(() => (held = false))

/** Listens once somebody carries news, and asks for what came before this page was open. */
export async function loadNews(abouts: readonly ProviderAbout[]): Promise<void> {
  if (wires(abouts).length === 0) return
  if (!held) {
    held = true
    holdNews(
      (event) => event.type === 'news' && add([event]),
      (newsTrouble) => useDesk.setState({ newsTrouble })
    )
  }
  const past = await fetchNews()
  if (past.ok) add(past.value)
}
