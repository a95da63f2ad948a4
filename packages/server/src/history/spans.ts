/** Stretches of time, `from` inclusive, `to` exclusive, epoch milliseconds: what they leave of each other. */
export type Span = { from: number; to: number }

export const isIn = ({ from, to }: Span, time: number): boolean => time >= from && time < to
export const overlap = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to
export const clipped = <S extends Span>(span: S, { from, to }: Span): S => ({
  ...span,
  from: Math.max(span.from, from),
  to: Math.min(span.to, to)
})

/** What of a span none of these covers, in order. */
export function uncovered({ from, to }: Span, covering: readonly Span[]): Span[] {
  const left: Span[] = []
  let at = from
  for (const span of covering.toSorted((a, b) => a.from - b.from)) {
    if (span.to <= at) continue
    if (span.from >= to) break
    if (span.from > at) left.push({ from: at, to: span.from })
    at = span.to
  }
  if (at < to) left.push({ from: at, to })
  return left
}

/** As few spans as cover the same, in order. */
export function united(spans: readonly Span[]): Span[] {
  const out: Span[] = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else if (from < to) out.push({ from, to })
  }
  return out
}
