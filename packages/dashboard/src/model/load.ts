/** Brings the page to life: the lists by REST, then the topics; and again whenever the server comes back. */
import { holdProviders, holdRows, rowOf } from './connection.ts'
import { choose, useDesk, type Desk } from './desk.ts'
import { watchConnection } from './events.ts'
import { client, onClient, onTurn } from './link.ts'
import { loadNews } from './news.ts'
import { watchReplay } from './replay.ts'
import { fetchInstruments, fetchProviders, fetchWatched } from './rest.ts'
import { routeOf } from './route.ts'
import { offer, remember, withChoices } from './watch.ts'

const RETRY_MS = 2_000
/** The first row may wait this long for its first price before another that has one is shown; any may, before it is shown without one. */
const PATIENCE_MS = 1_000
const RESIGNED_MS = 4_000
const set = useDesk.setState

let timer: ReturnType<typeof setTimeout> | undefined
let loading = false
let offered: string[] = []

/** An empty list is asked for again: the providers' listings may still be on their way. */
async function loadInstruments(): Promise<void> {
  if (loading) return
  loading = true
  clearTimeout(timer)
  const [answer, collected] = await Promise.all([fetchInstruments(), fetchWatched()])
  loading = false
  if (!answer.ok) set({ trouble: answer.message })
  else if (!collected.ok) set({ trouble: collected.message })
  else {
    const byId = new Map(answer.value.map((row) => [row.instrument, row]))
    offered = offer(
      answer.value,
      collected.value.filter((id) => byId.has(id))
    )
    set({ trouble: undefined, instruments: answer.value, byId, watched: withChoices(offered, (id) => byId.has(id)) })
    settle()
  }
  const down = client.state().phase !== 'open'
  if (!answer.ok || !collected.ok ? !down : answer.value.length === 0) timer = setTimeout(() => void loadInstruments(), RETRY_MS)
}

const hasPrice = (id: string | undefined): boolean => id !== undefined && rowOf(id).received !== undefined

let settling: ReturnType<typeof setInterval> | undefined

/** Sees to it that an instrument is shown: the first, or when nothing comes of that one, the first with a price. */
function settle(): void {
  if (settling || useDesk.getState().chosen !== undefined) return
  const from = Date.now()
  settling = setInterval(() => {
    const { watched, chosen } = useDesk.getState()
    if (chosen === undefined) {
      const waited = Date.now() - from
      const first = hasPrice(watched[0]) || waited < PATIENCE_MS ? watched[0] : (watched.find(hasPrice) ?? watched[0])
      if (first === undefined || (!hasPrice(first) && waited < RESIGNED_MS)) return
      set({ chosen: first, active: first })
    }
    clearInterval(settling)
    settling = undefined
  }, 50)
}

let held: { names: string; close: () => void } | undefined
async function loadProviders(): Promise<void> {
  const answer = await fetchProviders()
  if (!answer.ok) return
  set({ abouts: answer.value })
  void loadNews(answer.value)
  const names = answer.value.map((one) => one.provider)
  if (held?.names === names.join(' ')) return
  held?.close()
  const subscription = holdProviders(names)
  held = { names: names.join(' '), close: () => subscription?.close() }
}

function change(watched: string[]): void {
  set({ watched })
  remember(offered, watched)
}

/** Takes an instrument out of the grid. */
export const unwatch = (id: string): void => change(useDesk.getState().watched.filter((one) => one !== id))

/** Puts an instrument into the grid and shows it. */
export function watch(id: string): void {
  const { watched } = useDesk.getState()
  if (!watched.includes(id)) change([...watched, id])
  choose(id)
}

/** A provider that came alive may bring instruments of its own. */
const lives = (providers: Desk['providers']): number => Object.values(providers).filter((one) => one.phase === 'live').length

const hold = ({ watched, chosen }: Pick<Desk, 'watched' | 'chosen'>): void =>
  holdRows(chosen === undefined ? watched : [...watched, chosen])

function load(): void {
  void loadInstruments()
  void loadProviders()
}

/** Starts everything; called once. */
export function start(): void {
  watchConnection()
  useDesk.subscribe(({ watched, chosen, providers }, before) => {
    if (watched !== before.watched || chosen !== before.chosen) hold({ watched, chosen })
    if (lives(providers) > lives(before.providers)) void loadInstruments()
  })
  watchReplay()
  onTurn(() => (held = undefined))
  onClient((one) => {
    hold(useDesk.getState())
    load()
    return [one.on('state', ({ phase }) => phase === 'open' && load())]
  })
  addEventListener('popstate', () => {
    const id = routeOf(location.hash)
    if (id) set({ chosen: id, active: id, view: 'instrument' })
    else set({ view: 'markets' })
  })
}
