/** What the keys do, wherever the focus is, except while somebody types. */
import { useEffect } from 'react'
import { choose, isReplay, show, useDesk } from '../model/desk.ts'
import { onReplayKey } from './replay.keys.ts'

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
/** Arrow keys and Enter belong to a focused button, tab or link; j and k never do. */
const pressing = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.matches('button, a, [role=tab]')
/** A scrolling region keeps its arrow keys. */
const scrolling = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.matches('[role=region]')

const STEPS: Record<string, number> = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  Home: -Infinity,
  End: Infinity
}

function step(ids: readonly string[], by: number): void {
  if (ids.length === 0) return
  const { active } = useDesk.getState()
  const at = active === undefined ? -1 : ids.indexOf(active)
  const to = Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + by))
  useDesk.setState({ active: ids[to] })
}

/** True when the key was ours. */
function onKey(event: KeyboardEvent, ids: readonly string[]): boolean {
  const { key, target } = event
  const { active, palette, keys, picking } = useDesk.getState()
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'k') {
    useDesk.setState({ palette: !palette, keys: false })
    return true
  }
  if (palette || keys || picking || typing(target) || event.ctrlKey || event.metaKey || event.altKey) return false
  const by = STEPS[key]
  if (by !== undefined && (key.length === 1 || !(scrolling(target) || pressing(target)))) step(ids, by)
  else if (key === 'Enter' && active !== undefined && !pressing(target)) choose(active)
  else if (key === '/') useDesk.setState({ palette: true })
  else if (key === '?') useDesk.setState({ keys: true })
  else if (key === 'f') document.querySelector<HTMLInputElement>('.market input')?.focus()
  else if (key === 'Escape') show('markets')
  else if (key === 'r') useDesk.setState({ picking: true })
  else return isReplay() && onReplayKey(event)
  return true
}

export function useKeyboard(ids: readonly string[]): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (onKey(event, ids)) event.preventDefault()
    }
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [ids])
}
