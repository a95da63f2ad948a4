/** Many seeds, in threads of their own where there is more than one job; their outcomes come in the order of the seeds. */
import { Worker } from 'node:worker_threads'
import { simulate, type Outcome } from './simulation.ts'

export type CrewOptions = {
  first: number
  last: number
  minutes: number
  jobs: number
  digest: boolean
  /** Hears each line of the log, which one thread alone can tell in order. */
  log?: ((line: string) => void) | undefined
}

export async function* outcomes(options: CrewOptions): AsyncGenerator<Outcome, void, void> {
  const { first, last, minutes, digest, log } = options
  const jobs = Math.min(options.jobs, last - first + 1)
  if (jobs > 1 && !log) yield* shared({ ...options, jobs })
  else for (let seed = first; seed <= last; seed++) yield await simulate({ seed, minutes, digest, ...(log && { log }) })
}

/** Whoever is done takes the next seed. */
async function* shared({ first, last, minutes, digest, jobs }: CrewOptions): AsyncGenerator<Outcome, void, void> {
  const done = new Map<number, Outcome>()
  let given = first
  let wake = Promise.withResolvers<void>()
  const workers = Array.from({ length: jobs }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { minutes, digest } })
    const next = (): void => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
      if (given <= last) worker.postMessage(given++)
    }
    worker.on('message', (outcome: Outcome) => {
      done.set(outcome.seed, outcome)
      next()
      wake.resolve()
    })
    worker.on('error', (error) => wake.reject(error))
    next()
    return worker
  })
  try {
    for (let seed = first; seed <= last; seed++) {
      for (; !done.has(seed); wake = Promise.withResolvers()) await wake.promise
      const outcome = done.get(seed)
      done.delete(seed)
      if (outcome) yield outcome
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
