/** What is asked of a stream, and who takes what comes: a table or a pipe. */
import type { Client, ConnectionState } from '@tickwire/client'
import type { AskedContract, Interval } from '@tickwire/protocol'
import type { Streamed, StreamType } from './fields.ts'

export type StreamFlags = {
  type: StreamType
  interval?: Interval
  provider?: string
  json?: true
  csv?: true
  text?: true
  table?: true
  url: string
  keyFile?: string
  count?: number
  contract?: AskedContract
  wait?: true
  stale: number
}

/** Where events and what is said beside them go. */
export type Reading = {
  event: (event: Streamed) => void | Promise<void>
  note: (text: string) => void
  state?: (state: ConnectionState) => void
  watch?: (client: Client, contract: AskedContract | undefined) => void
  end: () => void
}
