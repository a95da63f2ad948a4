/** A reader of server-sent events for the tests: the blocks of a stream, as an EventSource would take them apart. */
export type Block = { event: string; id: string | undefined; retry: number | undefined; data: unknown }

const blockOf = (text: string): Block => {
  const fields = new Map(
    text
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  )
  const data = fields.get('data')
  const retry = fields.get('retry')
  return {
    event: fields.get('event') ?? '',
    id: fields.get('id'),
    retry: retry === undefined ? undefined : Number(retry),
    data: data === undefined ? undefined : JSON.parse(data)
  }
}

/** Reads until `enough` says so of all blocks so far, or the stream ends; then hangs up. */
export async function readStream(
  url: string,
  enough: (blocks: readonly Block[]) => boolean,
  headers: Record<string, string> = {}
): Promise<{ status: number; headers: Headers; blocks: Block[] }> {
  const hangUp = new AbortController()
  const answer = await fetch(url, { headers, signal: hangUp.signal })
  const blocks: Block[] = []
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    blocks.push(...parts.map(blockOf))
    if (enough(blocks)) break
  }
  hangUp.abort()
  return { status: answer.status, headers: answer.headers, blocks }
}

export type Told = { topic: string; seq: number; id: string }
/** The market events among them. */
export const toldBy = (blocks: readonly Block[]): Told[] =>
  blocks.flatMap(({ id, data }) => {
    const { topic, seq } = (data ?? {}) as { topic?: string; seq?: number }
    return topic !== undefined && seq !== undefined && id !== undefined ? [{ topic, seq, id }] : []
  })
export const readEvents = async (url: string, count: number, lastId?: string): Promise<Told[]> => {
  const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId }
  return toldBy((await readStream(url, (blocks) => toldBy(blocks).length >= count, headers)).blocks)
}

export type Outcome = { topic: string; ok: boolean; recovered?: boolean }
/** What became of each topic. */
export const outcomesOf = (blocks: readonly Block[]): Outcome[] =>
  blocks.flatMap(({ event, data }) => (event === 'subscribed' ? (data as { results: Outcome[] }).results : []))
