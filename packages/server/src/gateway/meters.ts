/** What the gateway counts as it works: plain numbers, read by /metrics when asked, so that counting costs nothing. */
export type Meters = ReturnType<typeof createMeters>

export const createMeters = (observeWait: (milliseconds: number) => void = () => {}) => ({
  /** Events handed to clients, each client counted. */
  delivered: 0,
  /** WebSocket and SSE messages, and their bytes as handed to the sockets. */
  frames: 0,
  bytes: 0,
  conflated: 0,
  lost: 0,
  slowCloses: 0,
  opened: 0,
  refused: 0,
  /** Answers to HTTP requests, by status; that there was no defect is known from the start. */
  answers: { 500: 0 } as Record<string, number>,
  /** From publish to flush, of the oldest event in a batch. */
  observeWait
})

export const countAnswer = ({ answers }: Pick<Meters, 'answers'>, status: number): void => {
  answers[status] = (answers[status] ?? 0) + 1
}
