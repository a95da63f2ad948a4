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
for (const [network, prefix] of [
  ['::', 127],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8]
] as const)
  ours.addSubnet(network, prefix, 'ipv6')

const isOpen = (address: string): boolean => !ours.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

export async function isPublicHost(host: string): Promise<boolean> {
  const name = host.replace(/^\[|\]$/g, '')
  if (isIP(name) !== 0) return isOpen(name)
  try {
    const addresses = await lookup(name, { all: true })
    return addresses.length > 0 && addresses.every(({ address }) => isOpen(address))
  } catch {
    return false
  }
}

/** From http to https of one host, or to another that is public; never back to http, where it was safe before. */
export async function mayFollow(from: URL, to: URL, isPublic: (host: string) => Promise<boolean>): Promise<boolean> {
  if (to.protocol !== 'https:' && (to.protocol !== 'http:' || from.protocol === 'https:')) return false
  if (to.username !== '' || to.password !== '') return false
  return (to.hostname === from.hostname && to.port === '' && from.port === '') || (await isPublic(to.hostname))
}
