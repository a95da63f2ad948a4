/** The extensions that a handshake offers, without the offers that nobody could take: a server declines those, `ws` answers 400. */
const COMPRESSION = 'permessage-deflate'
const SWITCHES: ReadonlySet<string> = new Set(['server_no_context_takeover', 'client_no_context_takeover'])
const BITS = /^(?:[89]|1[0-5])$/

function isParameter(name: string, value: string | undefined): boolean {
  if (SWITCHES.has(name)) return value === undefined
  if (name === 'client_max_window_bits') return value === undefined || BITS.test(value)
  return name === 'server_max_window_bits' && value !== undefined && BITS.test(value)
}

function isOffer(text: string): boolean {
  const [extension, ...parameters] = text.split(';').map((part) => part.trim())
  if (extension !== COMPRESSION) return false
  const seen = new Set<string>()
  return parameters.every((parameter) => {
    const [name = '', value] = parameter.split('=').map((part) => part.trim())
    const isNew = !seen.has(name)
    seen.add(name)
    return isNew && isParameter(name, value?.replace(/^"(.*)"$/, '$1'))
  })
}

/** Of a Sec-WebSocket-Extensions header, what may be agreed on; undefined where that is nothing. */
export function takable(header: string | undefined): string | undefined {
  // A comma in quotes belongs to no parameter that is known, so its offer is declined in both halves.
  const offers = (header?.split(',') ?? []).map((offer) => offer.trim()).filter(isOffer)
  return offers.length === 0 ? undefined : offers.join(',')
}
