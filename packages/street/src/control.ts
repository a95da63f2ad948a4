/** The street's levers for a person with curl: `POST /street/<provider>/<fault>?for=5000`, `GET /street`. Loopback only. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FAULTS } from './faults.ts'

export type ControlOptions = {
  fault: (provider: string, name: string, milliseconds?: number) => void
  kill: (provider: string) => Promise<void>
  revive: (provider: string) => Promise<void>
  report: () => unknown
}

const HOST = '127.0.0.1'

export function createControl({ fault, kill, revive, report }: ControlOptions) {
  const act = async (provider: string, name: string, lasts: string | null): Promise<void> => {
    const milliseconds = lasts === null ? undefined : Number(lasts)
    if (milliseconds !== undefined && !(milliseconds > 0 && milliseconds <= 86_400_000))
      throw new Error(`for is ${JSON.stringify(lasts)}: it takes milliseconds, up to a day, as in ?for=5000`)
    if (name !== 'kill' && name !== 'revive') return fault(provider, name, milliseconds)
    await (name === 'kill' ? kill(provider) : revive(provider))
    if (name === 'kill' && milliseconds !== undefined) setTimeout(() => void revive(provider), milliseconds).unref()
  }

  const answer = async (request: IncomingMessage): Promise<{ status: number; body: unknown }> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`)
    const [street, provider, name, ...more] = pathname.split('/').filter((part) => part !== '')
    if (request.method === 'GET' && street === 'street' && provider === undefined)
      return {
        status: 200,
        body: {
          providers: report(),
          faults: { ...FAULTS, heal: 'ends every fault', kill: 'the port refuses', revive: 'the port is open again' }
        }
      }
    if (request.method !== 'POST' || street !== 'street' || provider === undefined || name === undefined || more.length > 0)
      return { status: 404, body: { error: 'POST /street/<provider>/<fault>[?for=<milliseconds>] or GET /street' } }
    try {
      await act(provider, name, searchParams.get('for'))
      return { status: 200, body: { ok: true, providers: report() } }
    } catch (error) {
      return { status: 400, body: { error: (error as Error).message } }
    }
  }

  const server = createServer((request, response) => {
    // A page of another origin must not be able to pull the levers: browsers name it, curl does not.
    const foreign = request.headers.origin !== undefined
    const done = foreign ? Promise.resolve({ status: 403, body: { error: 'not from a browser' } }) : answer(request)
    void done.then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, undefined, 2)}\n`)
    })
  })

  return {
    listen: (port: number): Promise<void> =>
      new Promise((resolve, reject) => {
        server.once('error', reject).listen(port, HOST, () => resolve())
      }),
    url: (): string => {
      const address = server.address() as AddressInfo | null
      return address ? `http://${HOST}:${address.port}` : ''
    },
    close: (): Promise<void> =>
      new Promise((resolve) => {
        if (!server.listening) return resolve()
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
