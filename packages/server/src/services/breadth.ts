/** How the watched instruments move together, all of them and per sector: told when it differs, at most once a second. */
import { topicName, type Breadth, type Change } from '@tickwire/protocol'
import { SECTORS, type Sectors } from './sectors.ts'
import { service, type Output, type Service } from './service.ts'

type Mover = Pick<Change, 'windows' | 'received'>
type Group = { name: string; has: (instrument: string) => boolean; told: string }
export type BreadthState = {
  movers: Map<string, Mover>
  groups: readonly Group[]
  windows: readonly string[]
  second: number
}

/** A move of less than this many percent is none. */
const STILL = 0.005

const everything: Group['has'] = () => true
const openGroups = (sectors: Sectors): Group[] => [
  { name: 'all', has: everything, told: '' },
  ...Object.entries(sectors).map(([name, instruments]) => {
    const members = new Set(instruments)
    return { name, has: (instrument: string) => members.has(instrument), told: '' }
  })
]

const round = (n: number): number => Math.round(n * 1e4) / 1e4

/** The first, unless most are not yet watched for so long: then the next says more than none. */
function windowOf(movers: readonly Mover[], preferred: readonly string[]): string | undefined {
  const full = preferred.map((name) => movers.filter(({ windows }) => windows[name] !== undefined).length)
  const most = Math.max(...full)
  return most === 0 ? undefined : preferred.find((_, i) => full[i]! * 2 >= most)
}

/** Nothing of a group of which nothing is known. Sorted first, so that the order in which instruments came does not matter. */
function breadthOf({ name, has }: Group, { movers, windows }: BreadthState, now: number): Breadth | undefined {
  const known = [...movers].filter(([instrument]) => has(instrument)).map(([, mover]) => mover)
  const window = windowOf(known, windows)
  if (window === undefined) return undefined
  const members = known.filter((mover) => mover.windows[window] !== undefined)
  const changes = members.map((mover) => mover.windows[window]!).sort((a, b) => a - b)
  const [low, high] = [changes[(changes.length - 1) >> 1]!, changes[changes.length >> 1]!]
  const advancing = changes.filter((change) => change >= STILL).length
  const declining = changes.filter((change) => change <= -STILL).length
  return {
    type: 'breadth',
    provider: 'tickwire',
    instrument: name,
    time: now,
    // It is ours, of this instant.
    received: now,
    window,
    advancing,
    declining,
    unchanged: changes.length - advancing - declining,
    mean: round(changes.reduce((sum, change) => sum + change, 0) / changes.length),
    median: round((low + high) / 2)
  }
}

function tell(state: BreadthState, now: number): readonly Output[] {
  const second = Math.floor(now / 1_000)
  if (second <= state.second) return []
  state.second = second
  const out: Output[] = []
  for (const group of state.groups) {
    const event = breadthOf(group, state, now)
    if (!event) continue
    const { window, advancing, declining, unchanged, mean, median } = event
    const told = JSON.stringify([window, advancing, declining, unchanged, mean, median])
    if (told === group.told) continue
    group.told = told
    out.push({ topic: topicName('breadth', group.name), event })
  }
  return out
}

/** Names of all groups, as in `breadth:<name>`. */
export const groupsOf = ({ groups }: BreadthState): string[] => groups.map(({ name }) => name)

/** `windows` are some of those of `change`, the preferred first; an instrument whose window is not yet full is not counted. Without `sectors` there are ours. */
export const createBreadth = (sectors: Sectors = {}, windows: readonly string[] = ['5m', '1m']): Service<BreadthState> =>
  service({
    name: 'breadth',
    reads: ['change'],
    open: (): BreadthState => ({
      movers: new Map(),
      windows,
      groups: openGroups(Object.keys(sectors).length > 0 ? sectors : SECTORS),
      second: -Infinity
    }),
    fold(state, input) {
      if (input.type === 'watermark') return tell(state, input.time)
      if (input.type !== 'change') return []
      const { instrument, windows: moved, received } = input
      state.movers.set(instrument, { windows: moved, received })
      return []
    },
    forget: (state, instrument) => void state.movers.delete(instrument)
  })
