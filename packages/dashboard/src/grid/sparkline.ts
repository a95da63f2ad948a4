/** A sparkline as the path of an SVG, redrawn once a second: a canvas would be a compositor layer of its own in every row. */

export const WIDTH = 70
export const HEIGHT = 20
const PAD = 2

/** The line, and whether it rose or fell from end to end. */
export function sparkline(points: readonly number[]): { path: string; tone: 'up' | 'down' | '' } {
  if (points.length < 2) return { path: '', tone: '' }
  let low = Infinity
  let high = -Infinity
  for (const point of points) {
    low = Math.min(low, point)
    high = Math.max(high, point)
  }
  const range = high - low
  const step = (WIDTH - 2 * PAD) / (points.length - 1)
  const y = (point: number): number => (range === 0 ? HEIGHT / 2 : HEIGHT - PAD - ((point - low) / range) * (HEIGHT - 2 * PAD))
  const path = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${(PAD + i * step).toFixed(1)} ${y(point).toFixed(1)}`).join('')
  const net = points.at(-1)! - points[0]!
  return { path, tone: net > 0 ? 'up' : net < 0 ? 'down' : '' }
}
