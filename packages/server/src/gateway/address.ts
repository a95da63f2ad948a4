/** Whose request it is: the other end of the socket, or whom a proxy of ours names in X-Forwarded-For. No other header counts. */
import { BlockList, isIP } from 'node:net'

export type AddressOf = (remote: string | undefined, forwarded: string | readonly string[] | undefined) => string

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** IPv4 in IPv6 is IPv4; a port or brackets are none of the address. */
function plain(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  return isIP(bare) === 0 ? undefined : bare
}

/** One customer has a /64 of IPv6, and could be 2^64 callers. */
function network(address: string): string {
  if (isIP(address) !== 6 || address === '::1') return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** `proxies`: addresses and networks (`10.0.0.0/8`) whose word counts. Throws at what is neither. */
export function createAddressOf(proxies: readonly string[]): AddressOf {
  const trusted = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    const widest = isIP(address) === 6 ? 128 : 32
    if (isIP(address) === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= widest)))
      throw new Error(`gateway.proxies holds ${JSON.stringify(proxy)}: it takes addresses and networks, as in 10.0.0.0/8`)
    trusted.addSubnet(address, bits === undefined ? widest : Number(bits), familyOf(address))
  }
  const isTrusted = (address: string): boolean => trusted.check(address, familyOf(address))

  return (remote, forwarded) => {
    let address = plain(remote ?? '') ?? 'unknown'
    if (proxies.length === 0 || forwarded === undefined) return network(address)
    // From the right: each proxy appends whom it saw, and what stands left of a stranger is that stranger's word.
    const named = [forwarded].flat().join(',').split(',').toReversed()
    for (const text of named) {
      if (!isTrusted(address)) break
      const next = plain(text)
      if (next === undefined) break
      address = next
    }
    return network(address)
  }
}
