/** The address of an instrument on this page: `#/BTC-USDT`. */

export function routeOf(hash: string): string | undefined {
  const text = hash.replace(/^#\/?/, '')
  if (text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
