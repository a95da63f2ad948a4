/** Runs the conformance tool against a port, and cuts what goes to it into segments of three bytes. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Spoken = {
  path: string
  /** A message that is answered, whatever stands for %s in it, and what only its answer matches. */
  request: string
  reply: string
  max: number
}

const TOOL = fileURLToPath(new URL('../conformance/wsconform.mjs', import.meta.url))

type Report = { cases: readonly { id: string; title: string; verdict: string; why: string }[] }

type Case = Report['cases'][number]
type Run = { timeout: number; concurrency: number; only?: readonly Case[] }

async function ask(
  port: number,
  { path, request, reply, max }: Spoken,
  { timeout, concurrency, only }: Run
): Promise<readonly Case[]> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  // Not from its output: it exits before a pipe has taken all of it.
  const file = join(directory, 'report.json')
  const said = ['--request', request, '--reply', reply, '--require-deflate', '--quiet', '--json', file]
  const bounds = ['--max-message', String(max), '--timeout', String(timeout), '--concurrency', String(concurrency)]
  const some = only ? ['--only', `^(${only.map(({ id }) => id.replaceAll('.', '\\.')).join('|')})$`] : []
  const args = [TOOL, '--url', `ws://127.0.0.1:${port}${path}`, ...said, ...bounds, ...some]
  await new Promise<void>((resolve) => execFile(process.execPath, args, () => resolve()))
  const { cases } = JSON.parse(await readFile(file, 'utf8')) as Report
  await rm(directory, { recursive: true })
  return cases
}
const failedOf = (cases: readonly Case[]) => cases.filter(({ verdict }) => verdict === 'fail')
/** Of all connections together, and told of those of each run. */
const WHOLE = '10.1'
const PATIENT = 10_000

/**
 * What failed of all cases, each on a line of its own. `timeout`: how long a case waits for what never comes. What failed within it may
 * be the pace of the machine, and is tried again one by one with more patience; a frame that was not well formed is never forgiven.
 */
export async function failures(port: number, spoken: Spoken, timeout: number): Promise<readonly string[]> {
  const cases = await ask(port, spoken, { timeout, concurrency: 8 })
  // So that a tool that tried next to nothing is no success.
  const ran = cases.filter(({ verdict }) => verdict !== 'skip').length
  const suspects = failedOf(cases).filter(({ id }) => id !== WHOLE)
  const again = suspects.length > 0 ? await ask(port, spoken, { timeout: PATIENT, concurrency: 1, only: suspects }) : []
  const failed = [...failedOf(cases).filter(({ id }) => id === WHOLE), ...failedOf(again)]
  const lines = failed.map(({ id, title, why }) => `${id} ${title}: ${why}`)
  const tried = again.filter(({ id }) => id !== WHOLE).length
  if (tried < suspects.length) lines.push(`of ${suspects.length} cases only ${tried} were tried again`)
  return ran > 300 ? lines : [...lines, `only ${ran} cases were tried`]
}

const SEGMENT = 3
/** Of one chunk so many segments are read one by one; the rest goes out faster, or the test would be of the pace of this loop. */
const ALONE = 50
const TOGETHER = 200

function passOn(from: Socket, to: Socket): void {
  const waiting: Buffer[] = []
  let at = 0
  let busy = false
  const pump = () => {
    const [chunk] = waiting
    busy = chunk !== undefined
    if (!chunk) {
      if (from.readableEnded) to.end()
      return
    }
    const end = Math.min(chunk.length, at + SEGMENT * (at < ALONE * SEGMENT ? 1 : TOGETHER))
    for (; at < end; at += SEGMENT) to.write(chunk.subarray(at, at + SEGMENT))
    if (at >= chunk.length) {
      waiting.shift()
      at = 0
    }
    setImmediate(pump)
  }
  from.on('data', (chunk: Buffer) => {
    waiting.push(chunk)
    if (!busy) pump()
  })
  from.on('end', () => void (busy || to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => void (from.readableEnded || to.destroy()))
}

/** A proxy before a port: what its clients send arrives in segments of three bytes. */
export async function chop(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    passOn(client, upstream)
    upstream.pipe(client)
    upstream.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
