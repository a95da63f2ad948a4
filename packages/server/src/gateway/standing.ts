/** What the gateway is handed of books: how each stands, and the commands that renew them. */
/** How one book of one provider stands. */
export type BookInfo = {
  instrument: string
  provider: string
  state: 'syncing' | 'valid' | 'suspect' | 'stale'
  sequence?: number
  checked?: number
  age?: number
  levels: { bids: number; asks: number }
  resyncs: number
  damage?: { at: number; cause: string; healedAfter?: number } | undefined
}
export type Outcome = { outcome: 'healed' | 'failed' | 'timeout'; message: string; after: number }
export type BookSources = {
  /** Of this instrument, or all. */
  books: (instrument?: string) => readonly BookInfo[]
  resync: (instrument: string, provider: string) => Promise<Outcome>
  reconnect: (provider: string) => Promise<Outcome>
}
