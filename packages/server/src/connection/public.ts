/** Which hosts a redirect may lead to: those of the open net, never one of ours that only we can reach. */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

const ours = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3]
] as const)
  ours.addSubnet(network, prefix, 'ipv4')
// One of IPv4 within IPv6 (::ffff:) is found by the rules above; a rule for all of those would be one for all of IPv4.
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8]
] as const)
  ours.addSubnet(network, prefix, 'ipv6')

const isOpen = (address: string): boolean => !ours.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

export type AddressesOf = (host: string) => Promise<readonly string[]>

/** All addresses of a host, where each of them is of the open net; otherwise none. Whoever connects takes one of these. */
export async function publicAddresses(host: string): Promise<readonly string[]> {
  const name = host.replace(/^\[|\]$/g, '')
  if (isIP(name) !== 0) return isOpen(name) ? [name] : []
  try {
    const found = (await lookup(name, { all: true })).map(({ address }) => address)
    return found.every(isOpen) ? found : []
  } catch {
    return []
  }
}

/** Never back to http, where it was safe before; not to a name with a password. */
const isSafe = (from: URL, to: URL): boolean =>
  (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol !== 'https:')) &&
  to.username === '' &&
  to.password === ''

/** From http to https of one host, as before, or by these addresses to another that is public; `undefined`: not at all. */
export async function wayTo(from: URL, to: URL, addressesOf: AddressesOf): Promise<'as before' | readonly string[] | undefined> {
  if (!isSafe(from, to)) return undefined
  if (to.hostname === from.hostname && to.port === '' && from.port === '') return 'as before'
  const addresses = await addressesOf(to.hostname)
  return addresses.length > 0 ? addresses : undefined
}
