/** What is asked for by REST again and again while it is looked at. */
import { useEffect, useState } from 'react'
import type { Answer } from './rest.ts'

/** The newest answer; a failure after a success keeps what was there, and says what is wrong. */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<Answer<T>>, every: number): { value?: T; trouble?: string } {
  const [held, setHeld] = useState<{ value?: T; trouble?: string }>({})
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const turn = async (): Promise<void> => {
      const answer = await ask(stop.signal)
      if (stop.signal.aborted) return
      setHeld((before) => (answer.ok ? { value: answer.value } : { ...before, trouble: answer.message }))
      timer = setTimeout(() => void turn(), every)
    }
    void turn()
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [ask, every])
  return held
}
