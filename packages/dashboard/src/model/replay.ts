/** The replay that the page shows: ordered, steered, ended, and what becomes of it. */
import type { Client, Published, ReplayChange, ReplayOrder, ReplayState } from '@tickwire/client'
import { create } from 'zustand'
import { serverNow, setPast } from './clock.ts'
import { useDesk } from './desk.ts'
import { hangUp, onClient, turnTo } from './link.ts'
import { type Notice } from './notices.ts'
import { change, end, order, replays, stateOf } from './recordings.ts'

export type Live = { seam: number; from: number; to: number }
type Shown = {
  state: ReplayState | undefined
  /** What was asked of it and refused, as a sentence. */
  trouble: string | undefined
  /** Why it is no more. */
  over: string | undefined
  /** It went on into what is live. */
  live: Live | undefined
}

const NONE: Shown = { state: undefined, trouble: undefined, over: undefined, live: undefined }
export const useReplay = create<Shown>()(() => NONE)
const set = useReplay.setState

/** As the server's: 0 is as fast as it goes. */
export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 0] as const

/** The log of what is live, while a replay has one of its own. */
let notices: Notice[] = []

const putAway = (): void => {
  notices = useDesk.getState().notices
  useDesk.setState({ notices: [], unread: 0 })
}

const pace = ({ phase, speed }: ReplayState): number => (phase === 'playing' ? speed : 0)

function take(state: ReplayState): void {
  if (state.replay !== useDesk.getState().replay) return
  if (state.phase === 'live') return toSeam(state)
  set({ state })
  setPast(state.at, pace(state), state.to)
}

/** What is live is told by the live plant: of the replay's prices none may stay beside it. */
function toSeam({ replay, seam, at, from, to }: ReplayState): void {
  backToLive()
  set({ live: { seam: seam ?? at, from, to } })
  void end(replay)
}

function backToLive(): void {
  set(NONE)
  turnTo()
  useDesk.setState({ notices, unread: 0 })
}

/** Says what is wrong, or nothing where the replay began. */
export async function startReplay(asked: ReplayOrder): Promise<string | undefined> {
  const answer = await order(asked)
  if (!answer.ok) return answer.message
  const before = useDesk.getState().replay
  if (before === undefined) putAway()
  else void end(before)
  set({ ...NONE, state: answer.value })
  setPast(answer.value.at, 0, answer.value.to)
  useDesk.setState({ picking: false, notices: [], unread: 0 })
  turnTo(answer.value.replay)
  return undefined
}

export async function steer(asked: ReplayChange): Promise<void> {
  const { state, over } = useReplay.getState()
  if (!state || over !== undefined) return
  const answer = await change(state.replay, asked)
  if (useDesk.getState().replay !== state.replay) return
  if (answer.ok) {
    set({ trouble: undefined })
    take(answer.value)
  } else if (answer.status === 404) gone('The server does not know this replay any more.')
  else set({ trouble: answer.message })
}

export function leaveReplay(): void {
  const { replay } = useDesk.getState()
  if (replay === undefined) return
  const { over } = useReplay.getState()
  backToLive()
  if (over === undefined) void end(replay)
}

/** The same again from the beginning, after it ended. */
export async function startAgain(): Promise<void> {
  const { state } = useReplay.getState()
  if (!state) return
  const { run, from, to, what, speed, loop } = state
  const trouble = await startReplay({ run, from, to, what, speed, loop })
  if (trouble !== undefined) set({ trouble })
}

export const forgetLive = (): void => set({ live: undefined })

function gone(over: string): void {
  hangUp()
  const { state } = useReplay.getState()
  if (state) setPast(serverNow(), 0, state.to)
  useDesk.setState(({ connection }) => ({ connection: connection && { ...connection, phase: 'closed', reason: over } }))
  set({ over, trouble: undefined })
}

/** A server that was restarted knows nothing of it, and whoever asks for its address is not told so. */
async function check(replay: string): Promise<void> {
  const answer = await stateOf(replay)
  if (answer.ok || answer.status !== 404 || useDesk.getState().replay !== replay) return
  gone('The server does not know this replay any more: it was restarted, or nobody read the replay for a minute.')
}

/** A server that plays one recording and nothing else: what it serves as live is that. */
async function join(): Promise<void> {
  const answer = await replays()
  const state = answer.ok ? answer.value[0] : undefined
  if (!state || useDesk.getState().replay !== undefined) return
  set({ ...NONE, state })
  setPast(state.at, pace(state), state.to)
  turnTo(state.replay)
}

const ENDED = /: 4505 /

function listen(client: Client): (() => void)[] {
  const { replay } = useDesk.getState()
  if (replay === undefined)
    return [client.on('state', ({ phase, hello }) => phase === 'open' && hello?.mode === 'replay' && void join())]
  const told = client.subscribe('replay:all', (event: Published) => event.type === 'replay' && take(event))
  const heard = client.on('state', ({ phase, reason }) => {
    if (phase === 'waiting') void check(replay)
    else if (phase === 'closed') gone(ENDED.test(reason) ? 'The replay was ended on the server.' : reason)
  })
  return [told.close, heard]
}

/** Begins to watch for replays; called once. */
export const watchReplay = (): void => onClient(listen)
