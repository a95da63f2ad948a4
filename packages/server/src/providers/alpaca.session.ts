/** The memory of one connection to Alpaca. */
import type { Halt } from '@tickwire/protocol'
import type { Access, Subscription } from './adapter.ts'
import type { Days } from './new-york.ts'
import type { Forming } from './forming.ts'
import type { Wants } from './wants.ts'

export type Row = Record<string, unknown>
/** A symbol's day so far, for its ticker. */
export type Day = { bar?: Row; prevClose?: unknown; /** Time of the last trade in a ticker. */ told: number }

export type Session = {
  access: Access
  route: string
  authenticated: boolean
  wanted: Map<string, Subscription>
  wants: Wants
  /** What each frame that was sent and not yet answered asked for: errors do not name it. */
  sent: (readonly Subscription[])[]
  /** To be asked for when the next answer has come. */
  queue: (readonly Subscription[])[]
  /** No further trade or quote was taken: the plan's limit of symbols is reached. */
  full: boolean
  days: Map<string, Day>
  /** Tickers and news whose state was asked of REST. */
  fetched: Set<string>
  halts: Map<string, Halt['state']>
  hours: Days
  corrections: number
  forming: Forming
  /** Number of the user's account, and the symbols that he holds. */
  account?: string
  held: Set<string>
  listening: boolean
}

export const openSession = (access: Access, route = ''): Session => ({
  access,
  route,
  authenticated: false,
  wanted: new Map(),
  wants: new Map(),
  sent: [],
  queue: [],
  full: false,
  days: new Map(),
  fetched: new Set(),
  halts: new Map(),
  hours: new Map(),
  corrections: 0,
  forming: new Map(),
  held: new Set(),
  listening: false
})

export const isCrypto = (symbol: unknown): boolean => typeof symbol === 'string' && symbol.includes('/')
export const isMessagePack = ({ options }: Access): boolean => options?.codec === 'msgpack'
