/** A GET to addresses that were looked up before, and to no others: a name may mean another machine a moment later. */
import { request as http, type IncomingMessage } from 'node:http'
import { request as https } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

const lookupOf =
  (addresses: readonly string[]): LookupFunction =>
  (_host, { all }, done) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }))
    const [first] = found
    if (all || first === undefined) done(null, found)
    else done(null, first.address, first.family)
  }

/** An answer as `fetch` gives it, but for the sort of its stream. */
export type Answered = { status: number; headers: Headers; body: Readable | ReadableStream<Uint8Array> | null }

/** Whoever reads it is told that it ended early; where nobody does, that must not end this process. */
const ended = () => {}

function answerOf(message: IncomingMessage): Answered {
  const { statusCode: status = 0, headers } = message
  const told = Object.entries(headers).filter(([, value]) => value !== undefined)
  const body = headers['content-encoding'] === 'gzip' ? pipeline(message, createGunzip(), ended) : message.on('error', ended)
  return { status, headers: new Headers(told.map(([name, value]) => [name, String(value)])), body }
}

type Asked = { headers: Readonly<Record<string, string>>; addresses: readonly string[]; signal: AbortSignal }

export const getFrom = (url: URL, { headers, addresses, signal }: Asked): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? https : http
    const sent = { 'accept-encoding': 'gzip', ...headers }
    const options = { agent: false, headers: sent, signal, lookup: lookupOf(addresses) }
    ask(url, options, (message) => resolve(answerOf(message)))
      .on('error', reject)
      .end()
  })
