/** A place in a span of time, by dragging and by keys. What is dragged is told at once, what is meant when it is let go. */
import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react'
import { moved, shareOf } from '../model/span.ts'

/** Keys come in series: the last of them is meant. */
const SETTLE_MS = 300

type Props = {
  label: string
  from: number
  to: number
  at: number
  text: string
  disabled?: boolean
  onInput: (at: number) => void
  onCommit?: (at: number) => void
}

export function Slider({ label, from, to, at, text, disabled = false, onInput, onCommit }: Props) {
  const ref = useRef<HTMLDivElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  const place = ({ clientX }: PointerEvent): number => {
    const box = ref.current?.getBoundingClientRect()
    if (!box || box.width === 0) return at
    return Math.round(from + Math.max(0, Math.min(1, (clientX - box.left) / box.width)) * (to - from))
  }
  const drag = (event: PointerEvent): void => {
    if (!ref.current?.hasPointerCapture(event.pointerId)) return
    onInput(place(event))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const next = moved(event.key, at, from, to)
    if (next === undefined || disabled) return
    event.preventDefault()
    event.stopPropagation()
    onInput(Math.round(next))
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onCommit?.(Math.round(next)), SETTLE_MS)
  }
  const share = `${shareOf(at, from, to) * 100}%`
  return (
    <div
      ref={ref}
      role="slider"
      tabIndex={disabled ? -1 : 0}
      aria-label={label}
      aria-valuemin={from}
      aria-valuemax={to}
      aria-valuenow={Math.round(at)}
      aria-valuetext={text}
      aria-disabled={disabled}
      className="seek"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (disabled || event.button !== 0) return
        clearTimeout(timer.current)
        ref.current?.setPointerCapture(event.pointerId)
        drag(event)
      }}
      onPointerMove={drag}
      onPointerUp={(event) => ref.current?.hasPointerCapture(event.pointerId) && onCommit?.(place(event))}
    >
      <i aria-hidden>
        <i style={{ width: share }} />
      </i>
      <b aria-hidden style={{ left: share }} />
    </div>
  )
}
