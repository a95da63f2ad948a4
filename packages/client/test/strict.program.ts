/** What strict.test.ts runs: a program that handles as little as it can. */
import { DataStream } from '../src/index.ts'

const [, , what, url = ''] = process.argv
const backoff = { min: 1, max: 20 }
const fallback = { polling: { market: 20, alerts: 30 }, retryEvery: 100 }
const stream = new DataStream({ url, backoff, fallback, attempts: what === 'attempts' ? 2 : 0 })

const errors = async (): Promise<void> => {
  const codes = new Set<string>()
  let isOver = false
  const seen = new Promise<void>((resolve) =>
    stream.on('error', ({ code }) => {
      codes.add(code)
      if (codes.has('CALLBACK') && codes.has('BAD_SYMBOL') && !isOver) resolve()
    })
  )
  stream.subscribe('BTCUSDT', () => {
    throw new Error('mine')
  })
  stream.subscribe('BTCUSDT', () => Promise.reject(new Error('mine, late')))
  stream.subscribe('NOSUCH', () => {})
  // Nobody awaits it.
  void stream.stream('BTCUSDT')[Symbol.asyncIterator]()
  await seen
  isOver = true
  for (const code of ['CALLBACK', 'BAD_SYMBOL']) if (codes.has(code)) console.log(code)
  try {
    for await (const _ of stream.stream('NOSUCH')) break
  } catch (error) {
    console.log((error as Error).name)
  }
}

const nobody = (): Promise<void> =>
  new Promise((resolve) => {
    stream.on('reconnecting', ({ attempt }) => {
      if (attempt <= 2) console.log(`reconnecting ${attempt}`)
      else resolve()
    })
    stream.subscribe('BTCUSDT', () => {})
    void stream.stream('AAPL')[Symbol.asyncIterator]()
  })

const attempts = async (): Promise<void> => {
  const { ended } = stream.subscribe('BTCUSDT', () => {})
  try {
    for await (const _ of stream.stream('AAPL')) break
  } catch (error) {
    console.log((error as Error).message)
  }
  console.log(await ended)
  console.log(stream.state()?.phase)
}

await { errors, nobody, attempts }[what as 'errors']()
await stream.disconnectStreams()
if (what !== 'attempts') console.log('done')
