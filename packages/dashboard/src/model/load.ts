/** Brings the page to life: the lists by REST, then the topics; and again whenever the server comes back. */
import { client, holdProviders, holdRows, watchConnection } from './connection.ts'
import { choose, useDesk, type Desk } from './desk.ts'
import { fetchInstruments, fetchProviders } from './rest.ts'
import { routeOf } from './route.ts'
import { firstWatch, remember } from './watch.ts'

const RETRY_MS = 2_000
const set = useDesk.setState

let timer: ReturnType<typeof setTimeout> | undefined
let loading = false

/** An empty list is asked for again: the providers' listings may still be on their way. */
async function loadInstruments(): Promise<void> {
  if (loading) return
  loading = true
  clearTimeout(timer)
  const answer = await fetchInstruments()
  loading = false
  if (!answer.ok) set({ trouble: answer.message })
  else {
    const byId = new Map(answer.value.map((row) => [row.instrument, row]))
    set({ trouble: undefined, instruments: answer.value, byId, watched: firstWatch(answer.value) })
    settle()
  }
  const down = client.state().phase !== 'open'
  if (!answer.ok ? !down : answer.value.length === 0) timer = setTimeout(() => void loadInstruments(), RETRY_MS)
}

/** Sees to it that an instrument is shown. */
function settle(): void {
  const { watched, chosen } = useDesk.getState()
  if (chosen === undefined && watched.length > 0) set({ chosen: watched[0], active: watched[0] })
}

let held: { names: string; close: () => void } | undefined
async function loadProviders(): Promise<void> {
  const answer = await fetchProviders()
  if (!answer.ok) return
  set({ abouts: answer.value })
  const names = answer.value.map((one) => one.provider)
  if (held?.names === names.join(' ')) return
  held?.close()
  const subscription = holdProviders(names)
  held = { names: names.join(' '), close: () => subscription?.close() }
}

function change(watched: string[]): void {
  set({ watched })
  remember(watched)
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

/** Starts everything; called once. */
export function start(): void {
  watchConnection()
  useDesk.subscribe(({ watched, chosen, providers }, before) => {
    if (watched !== before.watched || chosen !== before.chosen) holdRows(chosen === undefined ? watched : [...watched, chosen])
    if (lives(providers) > lives(before.providers)) void loadInstruments()
  })
  void loadInstruments()
  void loadProviders()
  client.on('state', ({ phase }) => {
    if (phase !== 'open') return
    void loadInstruments()
    void loadProviders()
  })
  addEventListener('popstate', () => {
    const id = routeOf(location.hash)
    if (id) set({ chosen: id, active: id, view: 'instrument' })
    else set({ view: 'markets' })
  })
}
