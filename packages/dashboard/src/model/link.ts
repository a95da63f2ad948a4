/** The page's one client: of what is live, or of one replay. Never of both, so that no number of the one stands beside one of the other. */
import { connect, type Client } from '@tickwire/client'
import { flushSync } from 'react-dom'
import { setPast } from './clock.ts'
import { useDesk } from './desk.ts'
import { tokenNow } from './token.ts'

type Stop = () => void

// A person waits in front of this page: it asks more often than a program should.
const backoff = { min: 500, max: 6_000 }

function open(replay: string | undefined): Client {
  const token = tokenNow()
  const given = { client: 'dashboard', backoff, ...(token !== undefined && { token }) }
  if (replay === undefined) return connect({ ...given, url: location.origin })
  // There is no other road to a replay: what comes by the others is live.
  return connect({ ...given, url: `${location.origin}/v1/replay/${encodeURIComponent(replay)}/ws`, fallback: false })
}

export let client = open(undefined)

let away = new AbortController()
/** Aborted when the page turns to something else: what was asked before is of no use then. */
export const turning = (): AbortSignal => away.signal

const forgetters: Stop[] = []
/** What is known of prices outside of components is thrown away at each turn. */
export const onTurn = (forget: Stop): void => void forgetters.push(forget)

const watchers: ((client: Client) => Stop[])[] = []
let stops: Stop[] = []
/** Listens to the client of now, and to each one after it; returned are the ways to end that. */
export function onClient(watch: (client: Client) => Stop[]): void {
  watchers.push(watch)
  stops.push(...watch(client))
}

/** Nothing comes any more, and nothing is tried again; what stands on the page stays. */
export function hangUp(): void {
  for (const stop of stops) stop()
  stops = []
  client.close()
}

/** Turns the page to a replay, or without a name to what is live: everything begins anew. */
export function turnTo(replay?: string): void {
  hangUp()
  away.abort()
  away = new AbortController()
  for (const forget of forgetters) forget()
  if (replay === undefined) setPast()
  client = open(replay)
  const blank = { connection: undefined, comeback: undefined, providers: {}, stories: [], newsTrouble: undefined }
  // Before anything comes, so that no number is painted on the page of before.
  flushSync(() => useDesk.setState(({ turn }) => ({ ...blank, replay, turn: turn + 1 })))
  stops = watchers.flatMap((watch) => watch(client))
}
