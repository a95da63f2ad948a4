/** What the whole page shares besides prices: the connection, the lists, the choices of the person in front of it. */
import type { ConnectionState, Mode, News, ProviderStatus, Published } from '@tickwire/client'
import { create } from 'zustand'
import { addNotice, type Notice, type Tone } from './notices.ts'
import type { Instrument, ProviderAbout } from './listing.ts'
import { routeOf } from './route.ts'
import { SORTS, type Column } from './sort.ts'

export type View = 'markets' | 'instrument' | 'providers' | 'trust' | 'news' | 'log'
export type Comeback = { at: number; kind: 'restarted' | 'resumed'; tone: Tone; text: string }

export type Desk = {
  /** Of which replay everything on the page is; absent: it is live. */
  replay: string | undefined
  /** How often the page began anew: what was made in another turn is thrown away. */
  turn: number
  connection: ConnectionState | undefined
  comeback: Comeback | undefined
  mode: Mode | undefined
  rate: number
  total: number
  notices: Notice[]
  unread: number
  /** Newest first. */
  stories: Published<News>[]
  newsTrouble: string | undefined
  instruments: Instrument[] | undefined
  byId: Map<string, Instrument>
  watched: string[]
  abouts: ProviderAbout[]
  providers: Record<string, Published<ProviderStatus>>
  trouble: string | undefined
  chosen: string | undefined
  active: string | undefined
  sort: { column: Column; down: boolean } | undefined
  filter: string
  view: View
  palette: boolean
  keys: boolean
  /** A recording is being picked. */
  picking: boolean
}

export const useDesk = create<Desk>()(() => ({
  replay: undefined,
  turn: 0,
  connection: undefined,
  comeback: undefined,
  mode: undefined,
  rate: 0,
  total: 0,
  notices: [],
  unread: 0,
  stories: [],
  newsTrouble: undefined,
  instruments: undefined,
  byId: new Map<string, Instrument>(),
  watched: [],
  abouts: [],
  providers: {},
  trouble: undefined,
  chosen: routeOf(location.hash),
  active: routeOf(location.hash),
  sort: undefined,
  filter: '',
  view: routeOf(location.hash) ? 'instrument' : 'markets',
  palette: false,
  keys: false,
  picking: false
}))

const set = useDesk.setState

export const say = (notice: Notice): void =>
  set((desk) => ({ notices: addNotice(desk.notices, notice), unread: desk.view === 'log' ? 0 : desk.unread + 1 }))

/** In a replay prices are not as old as they are, but as they were. */
export const isReplay = (): boolean => useDesk.getState().replay !== undefined

/** Shows an instrument, and says so in the address, so that the page can be linked to. */
export function choose(instrument: string): void {
  set({ chosen: instrument, active: instrument, view: 'instrument', palette: false })
  const hash = `#/${encodeURIComponent(instrument)}`
  if (location.hash !== hash) history.pushState(undefined, '', hash)
}

export const show = (view: View): void => set(view === 'log' ? { view, unread: 0 } : { view })

/** The first click sorts the way one looks for (most first for numbers), the second turns it, the third ends it. */
export const sortBy = (column: Column): void =>
  set(({ sort }) => {
    const down = SORTS[column].downFirst
    if (sort?.column !== column) return { sort: { column, down } }
    return { sort: sort.down === down ? { column, down: !down } : undefined }
  })
