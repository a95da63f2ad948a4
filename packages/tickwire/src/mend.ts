/** From what went wrong with a provider to what its user can do about it. */
const MENDS: readonly (readonly [pattern: RegExp, mend: string])[] = [
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/, 'The host is not known: check the address (wsUrl, restUrl) and this machine’s DNS'],
  [/ECONNREFUSED/, 'Nothing listens there: check address and port, and that the program behind it runs'],
  [/ECONNRESET|EPIPE|socket hang up/, 'The other end hung up: a proxy or firewall may be in between'],
  [/ETIMEDOUT|no answer within|timed out|ENETUNREACH|EHOSTUNREACH/, 'No answer: a firewall may drop it, or the network is down'],
  [/certificate|CERT_|SSL|TLS/i, 'The certificate is not trusted: check the address, the clock, and proxies that intercept TLS'],
  [
    /\b451\b|restricted location/,
    'The provider does not serve your region: use its address for your region, or another provider'
  ],
  [
    /\b(401|402|403)\b|auth|api ?key|token|not authorized|forbidden/i,
    'Its credentials are not accepted: check the key, its plan and its expiry'
  ],
  [
    /\b(429|418)\b|too many|rate limit|limit reach/i,
    'Too many requests: wait, and see that no other program uses the same key or address'
  ],
  [/406|connection limit|max_connections/i, 'Another program uses the same key: one connection is all that the plan allows'],
  [/not installed|Cannot find package/, 'Install the package that it names'],
  [/\b5\d\d\b/, 'The provider has a fault of its own: try later'],
  [/listing/, 'Check restUrl']
]

export const mendOf = (finding: string): string | undefined => MENDS.find(([pattern]) => pattern.test(finding))?.[1]
