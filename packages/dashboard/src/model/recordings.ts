/** What was recorded, and replays of it, asked of the server. */
import type { RecordedRun, RecordingStatus, ReplayChange, ReplayOrder, ReplayState } from '@tickwire/client'
import { ask, list, type Answer } from './rest.ts'

export type Recorded = { runs: RecordedRun[]; status: RecordingStatus }

/** The newest first, and how recording stands. */
export async function fetchRecorded(signal?: AbortSignal): Promise<Answer<Recorded>> {
  const given = signal && { signal }
  const [all, now] = await Promise.all([ask('GET', '/v1/recordings', given), ask('GET', '/v1/recording', given)])
  const runs = list<RecordedRun>(all, 'recordings')
  if (!runs.ok) return runs
  if (!now.ok) return now
  return { ok: true, value: { runs: [...runs.value].sort((a, b) => b.from - a.from), status: now.value as RecordingStatus } }
}

const addressOf = (replay: string): string => `/v1/replays/${encodeURIComponent(replay)}`

export const order = async (body: ReplayOrder): Promise<Answer<ReplayState>> =>
  (await ask('POST', '/v1/replays', { body })) as Answer<ReplayState>
/** All that are open. */
export const replays = async (): Promise<Answer<ReplayState[]>> => list(await ask('GET', '/v1/replays'), 'replays')
export const change = async (replay: string, body: ReplayChange): Promise<Answer<ReplayState>> =>
  (await ask('POST', addressOf(replay), { body })) as Answer<ReplayState>
export const stateOf = async (replay: string): Promise<Answer<ReplayState>> =>
  (await ask('GET', addressOf(replay))) as Answer<ReplayState>
export const end = (replay: string): Promise<Answer<unknown>> => ask('DELETE', addressOf(replay))
