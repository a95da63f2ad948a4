/** A thread that simulates the seeds it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { simulate } from './simulation.ts'

const { minutes, digest } = workerData as { minutes: number; digest: boolean }

parentPort?.on('message', (seed: number) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
  void simulate({ seed, minutes, digest }).then((outcome) => parentPort?.postMessage(outcome))
})
