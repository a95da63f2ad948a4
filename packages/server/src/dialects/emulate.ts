/** A provider's protocol under `/emulate/<provider>`: its clients get the plant's data, whoever that comes from. */
import type { Dialect } from './dialect.ts'

export function emulated<M>(provider: string, spoken: Dialect<M>): Dialect<M> {
  const prefix = `/emulate/${provider}`
  const inside = (path: string): string => path.slice(prefix.length) || '/'
  return {
    ...spoken,
    name: `emulate ${provider}`,
    under: `${prefix}/`,
    paths: spoken.paths.flatMap((path) => (path === '/' ? [prefix, `${prefix}/`] : [prefix + path])),
    open: (request, desk, now) => spoken.open({ ...request, path: inside(request.path) }, desk, now),
    http: (spoken.http ?? []).map(({ route, answer }) => {
      const [method = 'GET', path = '/'] = route.split(' ')
      return {
        route: `${method} ${prefix}${path}`,
        answer: (request, desk, now) => answer({ ...request, path: inside(request.path) }, desk, now)
      }
    })
  }
}
