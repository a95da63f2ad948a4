/** From what went wrong with a provider to what its user can do about it. */
const MENDS: readonly (readonly [pattern: RegExp, mend: string])[] = [
  // Says itself what to do.
  [/npm install|is TWS or the Gateway running|: set /, ''],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/, 'The host is not known: check the address (wsUrl, restUrl) and this machine’s DNS'],
  [/ECONNREFUSED/, 'Nothing listens there: check address and port, and that the program behind it runs'],
  [/ECONNRESET|EPIPE\b|socket hang up|other side closed/, 'The other end hung up: a proxy or firewall may be in between'],
  [/ETIMEDOUT|no answer within|timed out|ENETUNREACH|EHOSTUNREACH/, 'No answer: a firewall may drop it, or the network is down'],
  [
    /wrong version number|packet length too long|EPROTO/,
    'What answers there does not speak TLS: check the port, or write http:// and ws://'
  ],
  [/certificate|CERT_|SSL|TLS/i, 'The certificate is not trusted: check the address, the clock, and proxies that intercept TLS'],
  [
    /\b451\b|restricted location/,
    'The provider does not serve your region: use its address for your region, or another provider'
  ],
  [
    /\b(429|418)\b|too many|rate limit|limit reach|calls? frequency|per day/i,
    'Too many requests: wait, and see that no other program uses the same key or address'
  ],
  [/not a feed/, 'What answers there is no feed: open the address in a browser, and look there for the address of its feed'],
  [
    /unusable listing|not JSON|unknown shape|cut short/,
    'What answers there is not this provider: check the address (wsUrl, restUrl), and proxies in between'
  ],
  [/\b406\b|connection limit|max_connections/i, 'Another program uses the same key: one connection is all that the plan allows'],
  [
    /\b(401|402|403)\b|auth|api ?key|token|not authorized|forbidden/i,
    'Its credentials are not accepted: check the key, its plan and its expiry'
  ],
  [/\b404\b|\b410\b/, 'There is nothing at that address: check it (wsUrl, restUrl, feed)'],
  [/not installed|Cannot find (package|module)/, 'Install the package that it names'],
  [
    /unknown symbol|invalid symbol|symbol .*not (found|supported)|is one of its own/i,
    'Check how the instruments of watch are written'
  ],
  [/\b5\d\d\b/, 'The provider has a fault of its own: try later'],
  [
    /^connected, but no/,
    'It accepts and stays mute: check that this trades now and that your plan includes it; --timeout waits longer'
  ],
  [/streams from no exchange/, 'Check options.exchanges: each is named as the library names it']
]

const PUBLIC = 'It needs no key, and yet it refuses you: check the address; it may block your network or region'

/** `open`: the provider asks for no credentials, so that they cannot be what is wrong. */
export function mendOf(finding: string, open = false): string | undefined {
  const mend = MENDS.find(([pattern]) => pattern.test(finding))?.[1]
  if (mend === undefined || mend === '') return undefined
  return open && mend.startsWith('Its credentials') ? PUBLIC : mend
}
