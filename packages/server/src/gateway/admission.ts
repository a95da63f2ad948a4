/**
 * Whose pages are let in. Any name can be made to resolve to 127.0.0.1 (DNS rebinding), and a page of that name then asks
 * a host equal to its own origin. So a gateway that only this machine reaches, and that needs no key, answers to the names
 * of this machine and to those that were configured.
 */
export const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)

const nameIn = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname

/** What such a page, or who reads its console, is told. */
export const notLetIn = (origin: string | undefined): string =>
  `pages of ${JSON.stringify(origin)} are not let in; list it in gateway.origins`

export type Admission = ReturnType<typeof createAdmission>

/** `origins`: foreign pages that may read, or `*`. `open`: no key is needed. */
export function createAdmission(origins: readonly string[], open: boolean) {
  const anyone = origins.includes('*')
  const names = new Set(origins.map((origin) => URL.parse(origin)?.hostname))
  let onlyHere = false

  return {
    /** Where the gateway listens: the host as configured, and the address that it came to. */
    bind(host: string, address: string): void {
      onlyHere = open && isLoopback(address)
      names.add(nameIn(host))
    },

    /** Whether only this machine reaches it, and needs no token. */
    isLocal: (): boolean => onlyHere,

    /** What is wrong with the Host of a request. */
    hostFault(host: string | undefined): string | undefined {
      if (!onlyHere || anyone || host === undefined) return undefined
      const name = nameIn(host)
      if (name !== undefined && (isLoopback(name) || names.has(name))) return undefined
      return (
        `the Host header says ${JSON.stringify(host.slice(0, 100))}, and this server answers to localhost only; ` +
        'for another name list its origin in gateway.origins'
      )
    },

    /** Programs send no origin. */
    allows(origin: string | undefined, host: string): boolean {
      if (origin === undefined || anyone || origins.includes(origin)) return true
      const url = URL.parse(origin)
      return url !== null && url.origin === origin && (url.host === host || isLoopback(url.hostname))
    }
  }
}
