/** Recordings and replays, as the server tells of them: what was written down, and how a replay of it stands. */

/** `events`: what the arbiter admitted, as it was published; `frames`: every raw frame and answer, so that all of it can be decided anew. */
export type RecordedWhat = 'events' | 'frames'

/** What one run of a server wrote down, from its start to its end, or a stretch of it that is still there. */
export type RecordedRun = {
  /** `[\w-]{1,64}`. */
  run: string
  /** Its prices are no live ones: `demo`, they are simulated; `capture`, they are of a recorded session. Absent: of live providers. */
  mode?: 'demo' | 'capture'
  /** First and last receive times in it, epoch milliseconds. */
  from: number
  to: number
  what: readonly RecordedWhat[]
  bytes: number
  events: number
  frames: number
  /** It is being written now. */
  open: boolean
  /** Blocks that were damaged, and are left out; and bytes of a torn tail that were cut. */
  damaged: number
  cut: number
  /** Not all of its blocks were compared with their checksums yet: `damaged` may be more. */
  unchecked?: true
  /**
   * Nothing of it can be read: what is known to be lost, and why, one sentence for a person. `from` and `to` are then as far as they
   * are known, and `what` may be empty.
   */
  reason?: string
}

/** How recording stands now. `full`: the disk is; it goes on by itself when there is room. */
export type RecordingStatus = {
  state: 'off' | 'recording' | 'full' | 'failed'
  /** One sentence for a person. */
  reason: string
  what: readonly RecordedWhat[]
  /** Since this state holds, epoch milliseconds. */
  since: number
  run?: string
  bytes: number
  events: number
  frames: number
  /** Entries that could not be written since the start. */
  lost: number
}

/** A span, and how to play it. */
export type ReplayOrder = {
  run: string
  /** Epoch milliseconds within the run; its ends unless named. */
  from?: number
  to?: number
  /** What is read; `events` where the run has them, unless named. */
  what?: RecordedWhat
  /** 1 is as it was; `0` is as fast as it goes. From 0.1 on. */
  speed?: number
  paused?: boolean
  loop?: boolean
  /** What comes after the end: `end` it stays there; `live`: it goes on with what is published now, behind a seam. */
  then?: 'end' | 'live'
}

/** What can be changed of a replay: `seek` to a time; `step` by so many published events, which pauses it. */
export type ReplayChange = { speed?: number; paused?: boolean; loop?: boolean; seek?: number; step?: number }

export type ReplayState = {
  run: string
  /** The span that is played. */
  from: number
  to: number
  what: RecordedWhat
  speed: number
  loop: boolean
  then: 'end' | 'live'
  /** It is served at `/v1/replay/<replay>/ws`, in the native protocol; every event there carries `replay` with this name, up to the seam. */
  replay: string
  /** `seeking`: it hurries, untold, to where it was sent. `live`: past the seam. */
  phase: 'playing' | 'paused' | 'seeking' | 'ended' | 'live' | 'failed'
  /** Where it is, in recorded time; past the seam, now. */
  at: number
  /** Of recorded entries and published events. */
  entries: number
  events: number
  /** Where live began, epoch milliseconds. */
  seam?: number
  /** Why it failed, or what was left out. */
  reason?: string
}
