/** From the address a person has to the address of the WebSocket. */
const SCHEMES: Record<string, string> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }

/** The live plant, or one of its replays. */
const SOCKET = /\/v1\/(replay\/[^/]+\/)?ws$/

/** `http(s)` becomes `ws(s)`, a missing scheme is http, and `/v1/ws` is added where it is absent. */
export function socketUrl(address: string, page = (globalThis as { location?: { href: string } }).location?.href): string {
  const bad = (): Error =>
    new Error(`url: ${JSON.stringify(address)} is no address of a server; give one like http://localhost:8000 or wss://host/path`)
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) || address.startsWith('/') ? address : `http://${address}`
  if (address === '' || !URL.canParse(full, page)) throw bad()
  const url = new URL(full, page)
  const scheme = SCHEMES[url.protocol]
  if (scheme === undefined) throw bad()
  const path = url.pathname.replace(/\/+$/, '')
  return `${scheme}//${url.host}${SOCKET.test(path) ? path : `${path}/v1/ws`}${url.search}`
}
