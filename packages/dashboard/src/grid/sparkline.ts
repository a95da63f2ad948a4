/** A sparkline on a canvas: a hundred of them are cheaper than a hundred changing SVG paths. */

const UP = '#3ecf9a'
const DOWN = '#fb7185'
const FLAT = '#8d99ab'
const PAD = 2

export function drawSparkline(canvas: HTMLCanvasElement, points: readonly number[]): void {
  const scale = Math.min(devicePixelRatio || 1, 2)
  const width = canvas.clientWidth || 76
  const height = canvas.clientHeight || 20
  if (canvas.width !== width * scale) {
    canvas.width = width * scale
    canvas.height = height * scale
  }
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.setTransform(scale, 0, 0, scale, 0, 0)
  pen.clearRect(0, 0, width, height)
  if (points.length < 2) return
  let low = Infinity
  let high = -Infinity
  for (const point of points) {
    low = Math.min(low, point)
    high = Math.max(high, point)
  }
  const range = high - low
  const step = (width - 2 * PAD) / (points.length - 1)
  const y = (point: number): number => (range === 0 ? height / 2 : height - PAD - ((point - low) / range) * (height - 2 * PAD))
  const net = points.at(-1)! - points[0]!
  pen.beginPath()
  points.forEach((point, i) => (i === 0 ? pen.moveTo(PAD, y(point)) : pen.lineTo(PAD + i * step, y(point))))
  pen.strokeStyle = net > 0 ? UP : net < 0 ? DOWN : FLAT
  pen.lineWidth = 1.25
  pen.lineJoin = 'round'
  pen.stroke()
  pen.lineTo(PAD + (points.length - 1) * step, height)
  pen.lineTo(PAD, height)
  pen.globalAlpha = 0.1
  pen.fillStyle = pen.strokeStyle
  pen.fill()
  pen.globalAlpha = 1
}
