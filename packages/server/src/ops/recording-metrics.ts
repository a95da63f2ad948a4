/** The recording in figures: what is written, what was lost, and whether it goes on. */
import type { RecordingStatus } from '@tickwire/protocol'
import type { Gauges } from './gauges.ts'

const STATES = ['off', 'recording', 'full', 'failed'] as const

export function exportRecording({ counter, gauge }: Gauges, status: () => RecordingStatus): void {
  counter('recording_bytes', 'Bytes recorded since the start', [], (put) => put(status().bytes))
  counter('recording_entries', 'Entries recorded since the start', ['what'], (put) => {
    const { events, frames } = status()
    put(events, { what: 'events' })
    put(frames, { what: 'frames' })
  })
  counter('recording_lost', 'Entries that could not be written', [], (put) => put(status().lost))
  gauge('recording_state', '1 for the state that holds', ['state'], (put) => {
    const { state } = status()
    for (const each of STATES) put(each === state ? 1 : 0, { state: each })
  })
}
