/** Asks for the token where the server wants one. It is kept until the tab is closed. */
import { useState } from 'react'
import { useDesk } from '../model/desk.ts'
import { turnTo } from '../model/link.ts'
import { keepToken, useToken } from '../model/token.ts'
import { Dialog } from './dialog.tsx'

const putOff = (): void => useToken.setState({ isPutOff: true })

export function TokenDialog() {
  const { wanted, isPutOff } = useToken()
  const [text, setText] = useState('')
  if (wanted === undefined) return null
  if (isPutOff)
    return (
      <p
        role="alert"
        className="flex flex-none items-center justify-center gap-3 border-t border-line bg-panel px-3 py-1.5 text-[12px] text-amber"
      >
        {wanted}
        <button
          type="button"
          className="rounded border border-edge px-2 py-0.5 text-bright"
          onClick={() => useToken.setState({ isPutOff: false })}
        >
          Enter it
        </button>
      </p>
    )
  const give = (): void => {
    if (text.trim() === '') return
    keepToken(text.trim())
    setText('')
    turnTo(useDesk.getState().replay)
  }
  return (
    <Dialog label="Token" onClose={putOff}>
      <form
        className="flex flex-col gap-3 px-4 py-4"
        onSubmit={(event) => {
          event.preventDefault()
          give()
        }}
      >
        <h2 className="text-[14px] font-semibold text-bright">{wanted}</h2>
        <label className="flex flex-col gap-1">
          <span className="text-muted">An API key or a JSON Web Token</span>
          <input
            type="password"
            name="token"
            autoComplete="off"
            spellCheck={false}
            aria-describedby="token-kept"
            className="rounded border border-edge bg-ground px-2 py-1.5 text-bright"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <p id="token-kept" className="text-[11.5px] text-muted">
          Kept until this tab is closed. <code>tickwire keys create</code> makes one.
        </p>
        <p className="flex justify-end gap-2">
          <button type="button" className="chip border border-edge px-3! py-1!" onClick={putOff}>
            Not now
          </button>
          <button type="submit" className="chip border border-accent px-3! py-1! text-bright!">
            Connect
          </button>
        </p>
      </form>
    </Dialog>
  )
}
