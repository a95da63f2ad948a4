/** What happens to the connection becomes words: lost, resumed, restarted, refused. */
import type { Client, ConnectionState } from '@tickwire/client'
import { setServerTime, serverNow } from './clock.ts'
import { filled, forgetDecisions, heardSoFar, notice } from './connection.ts'
import { isReplay, say, useDesk } from './desk.ts'
import { client, onClient, onTurn, turnTo } from './link.ts'
import { mark } from './marks.ts'
import { contractNotice, lostNotice } from './notices.ts'
import { tokenNow, wantToken } from './token.ts'

const set = useDesk.setState

let epoch: string | undefined
let wasOpen = false
let tally = { resumed: 0, reset: 0 }
let telling: ReturnType<typeof setTimeout> | undefined

onTurn(() => {
  epoch = undefined
  wasOpen = false
  clearTimeout(telling)
})

function onState(state: ConnectionState): void {
  if (state.phase === 'open' && state.hello) {
    const before = epoch
    epoch = state.hello.epoch
    if (!isReplay()) {
      setServerTime(state.hello.now)
      set({ mode: state.hello.mode })
    }
    mark('open', true)
    if (before !== undefined && before !== epoch) restarted()
    else if (before !== undefined) tellResumed()
    wasOpen = true
  } else if (wasOpen && (state.phase === 'waiting' || state.phase === 'closed')) {
    wasOpen = false
    tally = { resumed: 0, reset: 0 }
    clearTimeout(telling)
    set({ comeback: undefined })
    say({ at: serverNow(), kind: 'connection', tone: 'bad', text: plainReason(state) })
  }
  set({ connection: state })
}

/** The reason without the wait that ends it: the header counts that down by itself. */
export const plainReason = (state: ConnectionState): string => state.reason.replace(/ Trying again in .*$/, '')

function comeback(kind: 'restarted' | 'resumed', tone: 'good' | 'warn', text: string): void {
  set({ comeback: { at: Date.now(), kind, tone, text } })
  say({ at: serverNow(), kind, tone, text: `Back again: ${text}.` })
  mark(kind, true)
}

function restarted(): void {
  forgetDecisions()
  comeback('restarted', 'warn', 'server restarted: new epoch, snapshots reloaded')
}

/** The answers per topic come just after the opening: what they say together is told once. */
function tellResumed(): void {
  telling = setTimeout(() => {
    if (tally.reset === 0) comeback('resumed', 'good', 'resumed: nothing missed')
    else
      comeback(
        'resumed',
        'warn',
        `away too long: ${tally.reset} of ${tally.reset + tally.resumed} topics reloaded from snapshots`
      )
  }, 800)
}

/** The token is not valid, or none came in time, or a new one was no better. */
const UNAUTHORIZED = /: 450[14] |new token was no better/

/** All that a client says of itself. */
function watch(one: Client): (() => void)[] {
  const used = tokenNow()
  const state = (now: ConnectionState): void => {
    onState(now)
    if (now.phase === 'closed' && UNAUTHORIZED.test(now.reason)) wantToken(used)
  }
  state(one.state())
  return [
    one.on('state', state),
    one.on('resumed', () => tally.resumed++),
    one.on('reset', ({ previous, position }) => {
      tally.reset++
      // It was sent elsewhere: what came of where it was before must not stay on the page.
      if (isReplay() && previous.epoch !== position.epoch)
        queueMicrotask(() => one === client && turnTo(useDesk.getState().replay))
    }),
    one.on('lost', (lost) => say(lostNotice(serverNow(), lost))),
    one.on('contract', (contracted) => say(contractNotice(serverNow(), contracted))),
    one.on('status', notice),
    one.on('gap', (gap) => {
      if (gap.source === 'provider') return notice(gap.event)
      const text = `Between server and page: ${gap.topic} ${gap.from} to ${gap.to} never came.`
      say({ at: serverNow(), kind: 'gap', tone: 'bad', text, group: 'hole' })
    }),
    one.on('gap_filled', filled),
    one.on('error', ({ message }) => say({ at: serverNow(), kind: 'error', tone: 'bad', text: message, group: message })),
    one.on('shutdown', ({ retryAfterMs, reason }) =>
      say({
        at: serverNow(),
        kind: 'shutdown',
        tone: 'warn',
        text: `The server goes down: ${reason} (back in about ${retryAfterMs / 1_000} s)`
      })
    )
  ]
}

/** Begins to watch the connection; called once, before the first render. */
export function watchConnection(): void {
  onClient(watch)
  let before = 0
  setInterval(() => {
    set({ rate: heardSoFar() - before, total: heardSoFar() })
    before = heardSoFar()
  }, 1_000)
}
