/** Programs whose emulations existing clients are pointed at, and the plant's own record of what they hear. */
import { expect } from 'vitest'
import { run, until, type Program } from './program.ts'

export type Print = { id?: string; price: number; size: number; time: number }
export type Plant = Awaited<ReturnType<typeof startPlant>>

export async function startPlant(more: readonly string[] = [], token?: string) {
  const program: Program = await run(
    ['--port', '0', '--set', 'street.control=0', '--set', 'log.level=error', ...more],
    /Tickwire {2}http:\/\/(\S+)/
  )
  const http = `http://${program.found[1]}`
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  await until('the page’s prices', async () => (await fetch(`${http}/ready`)).ok)

  /** The plant's own trades of the last hour, page by page. */
  async function trades(instrument: string): Promise<Print[]> {
    const all: Print[] = []
    let next = ''
    for (;;) {
      const answer = await fetch(`${http}/v1/trades/${instrument}?limit=1000${next}`, { headers })
      const page = (await answer.json()) as { trades: Print[]; more: boolean; cursor?: string }
      all.push(...page.trades)
      if (!page.more) return all
      next = `&cursor=${page.cursor}`
    }
  }

  return {
    http,
    ws: `ws://${program.found[1]}`,
    kill: () => program.kill(),
    /** The trades by what a tape tells of them. */
    told: async (instrument: string): Promise<Set<string>> =>
      new Set((await trades(instrument)).map(({ price, size, time }) => `${Math.floor(time)} ${price} ${size}`)),

    /** All that was heard and is still known is as it was recorded; and some of it is. */
    async expectRecorded(instrument: string, heard: readonly { id: string; price: number; size: number }[]): Promise<void> {
      const known = new Map((await trades(instrument)).map((trade) => [String(trade.id), trade]))
      const met = heard.filter(({ id }) => known.has(id))
      expect(met.length).toBeGreaterThan(0)
      for (const { id, price, size } of met)
        expect({ price: known.get(id)?.price, size: known.get(id)?.size }).toEqual({ price, size })
    }
  }
}
