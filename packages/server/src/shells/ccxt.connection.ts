/** One connection: an exchange object of its own, and a loop for each thing that is watched on it. */
import type { Ending, Hooks, Link } from '../connection/link.ts'
import { closeExchange, judge, reasonOf, type Exchange, type Library } from './ccxt.library.ts'
import { keyOf, sourceOf, type Asked, type Source } from './ccxt.watch.ts'
import { pause } from '../connection/pause.ts'
import { timers } from '../timers.ts'

/** Makes the exchange, its markets known; what it throws ends the connection. */
export type Make = () => Promise<{ library: Library; exchange: Exchange }>
export type Timing = {
  /** Between questions, where an exchange does not stream, ms. */
  pollEvery: number
  backoff: { base: number; cap: number }
}
export const TIMING: Timing = { pollEvery: 5_000, backoff: { base: 500, cap: 30_000 } }

/** Failures of one thing in a row after which the exchange is begun anew, unless it serves other things well. */
const FAILURES = 5
/** Failures of one thing in a row, while others are served, after which it is given up until it is asked again. */
const PATIENCE = 15
/** A provider that asks us to slow down is left alone for at least this long, ms. */
const LATER = 5_000
/** A loop that always has something to read lets others have their turn. */
const TURN = 64

type Thing = Source & { ended: boolean; failures: number; failingSince: number }
type State = {
  library: Library
  exchange: Exchange
  hooks: Hooks
  timing: Timing
  things: Map<string, Thing>
  /** When anything last came. */
  heard: number
  ending: AbortController
}

/** Once closed it never speaks again. */
export function connect(make: Make, hooks: Hooks, timing: Timing): Link {
  const ending = new AbortController()
  let state: State | undefined
  const close = () => {
    if (ending.signal.aborted) return
    ending.abort()
    if (state) void closeExchange(state.exchange)
  }
  const end = (how: Ending) => {
    if (ending.signal.aborted) return
    close()
    hooks.onClose(how)
  }
  const open = async () => {
    try {
      const { library, exchange } = await make()
      // Closed meanwhile.
      if (ending.signal.aborted) return await closeExchange(exchange)
      state = { library, exchange, hooks: { ...hooks, onClose: end }, timing, things: new Map(), heard: 0, ending }
      hooks.onOpen()
    } catch (error) {
      end({ reason: reasonOf(error) })
    }
  }
  void open()
  return {
    send(frame) {
      if (state && !ending.signal.aborted) receive(state, String(frame))
    },
    close
  }
}

function receive(state: State, text: string): void {
  const said = JSON.parse(text) as { watch?: string; unwatch?: string; symbol: string; timeframe?: string }
  const { watch, unwatch, symbol, timeframe } = said
  const asked = (kind: string): Asked => ({ kind, symbol, ...(timeframe === undefined ? {} : { timeframe }) })
  if (watch !== undefined) begin(state, asked(watch))
  else if (unwatch !== undefined) leave(state, keyOf(asked(unwatch)))
  else if (isStanding(state)) state.hooks.onFrame('{"pong":1}')
}

/** A socket is open; nothing that is asked needs one; or what is asked comes without. */
function isStanding({ exchange, things }: State): boolean {
  const streams = [...things.values()].some((thing) => thing.streams)
  return !streams || Object.values(exchange.clients).some(({ connection }) => connection?.readyState === 1)
}

function begin(state: State, asked: Asked): void {
  const key = keyOf(asked)
  const running = state.things.get(key)
  // Asked twice because nothing came: a quiet market is watched all the same.
  if (running) {
    if (running.failures === 0 && isStanding(state)) tell(state, { watching: asked.kind, symbol: asked.symbol })
    return
  }
  const source = sourceOf(state.exchange, asked)
  if (typeof source === 'string') return tell(state, { refused: asked.kind, symbol: asked.symbol, reason: source })
  const thing: Thing = { ...source, ended: false, failures: 0, failingSince: 0 }
  state.things.set(key, thing)
  void follow(state, thing)
}

function leave({ things }: State, key: string): void {
  const thing = things.get(key)
  if (!thing) return
  thing.ended = true
  things.delete(key)
  if (![...things.values()].some(({ channel }) => channel === thing.channel)) thing.leave()
}

const tell = ({ hooks }: State, frame: object): void => hooks.onFrame(JSON.stringify(frame))

async function follow(state: State, thing: Thing): Promise<void> {
  const { ending, timing, hooks } = state
  const isOver = () => thing.ended || ending.signal.aborted
  for (let turns = 1; !isOver(); turns++) {
    try {
      const { frame, full } = await thing.next()
      if (isOver()) return
      recovered(state, thing, full)
      hooks.onFrame(frame)
      if (!thing.streams) await pause(timers, timing.pollEvery, ending.signal)
      else if (turns % TURN === 0) await new Promise(setImmediate)
    } catch (error) {
      if (isOver()) return
      const wait = failed(state, thing, error)
      if (wait === undefined) return
      await pause(timers, wait, ending.signal)
    }
  }
}

/** What was traded while the stream was down is missing, and is told before what comes after. */
function recovered(state: State, thing: Thing, full: boolean): void {
  const now = Date.now()
  if (thing.asked.kind === 'trades' && (thing.failures > 0 || full))
    tell(state, { lost: 'trades', symbol: thing.asked.symbol, from: thing.failures > 0 ? thing.failingSince : now - LATER })
  thing.failures = 0
  state.heard = now
}

/** How long to wait before it is tried again; nothing when it is not. */
function failed(state: State, thing: Thing, error: unknown): number | undefined {
  const verdict = judge(state.library, error)
  const reason = reasonOf(error)
  if (thing.failures++ === 0) thing.failingSince = Date.now()
  if (verdict === 'denied') {
    tell(state, { denied: reason })
    return undefined
  }
  const isLast = thing.failures >= FAILURES
  // The others are served: it is this one that fails, and it may be what cuts the socket that all share.
  const isAlone = state.heard > thing.failingSince
  const isHopeless = isAlone && thing.failures >= (verdict === 'unclear' ? FAILURES : PATIENCE)
  if (verdict === 'refused' || isHopeless) {
    refuse(state, thing, reason)
    return undefined
  }
  if (isLast && !isAlone) {
    state.hooks.onClose({ reason: `${state.exchange.id}: ${reason}`, ...(verdict === 'later' ? { wait: LATER } : {}) })
    return undefined
  }
  const { base, cap } = state.timing.backoff
  const least = verdict === 'later' ? LATER : 0
  return least + Math.random() * Math.min(cap, base * 2 ** thing.failures)
}

function refuse(state: State, thing: Thing, reason: string): void {
  const { kind, symbol } = thing.asked
  thing.ended = true
  state.things.delete(keyOf(thing.asked))
  tell(state, { refused: kind, symbol, reason })
}
