/** The command palette: finds any instrument of the server's whole list, not only those in the grid. */
import { Command } from 'cmdk'
import { useEffect, useState } from 'react'
import { useDesk } from '../model/desk.ts'
import { watch } from '../model/load.ts'
import type { Instrument } from '../model/listing.ts'
import { fetchInstruments } from '../model/rest.ts'
import { matches } from '../model/sort.ts'
import { Dialog } from './dialog.tsx'

const SHOWN = 60

/** What the page already knows at once; what only the server's search finds (aliases, typing errors) just after. */
function useFound(text: string): Instrument[] {
  const instruments = useDesk((desk) => desk.instruments)
  const [found, setFound] = useState<Instrument[]>([])
  const local = (instruments ?? []).filter((row) => text === '' || matches(text, row.instrument, row.name)).slice(0, SHOWN)
  const ask = text.length > 1 && local.length === 0
  useEffect(() => {
    setFound([])
    if (!ask) return undefined
    const stop = new AbortController()
    const timer = setTimeout(() => {
      void fetchInstruments(text, stop.signal).then((answer) => answer.ok && setFound(answer.value.slice(0, SHOWN)))
    }, 150)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [text, ask])
  return local.length > 0 ? local : found
}

const close = (): void => useDesk.setState({ palette: false })

export function Palette() {
  const [text, setText] = useState('')
  const found = useFound(text.trim())
  return (
    <Dialog label="Find an instrument" onClose={close}>
      <Command label="Find an instrument" shouldFilter={false} loop>
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="Find an instrument: btc, sol usd, nvidia"
          className="w-full border-b border-line bg-transparent px-4 py-3 text-[15px] text-bright outline-none placeholder:text-muted"
        />
        <Command.List className="max-h-[56vh] overflow-y-auto overscroll-contain p-1.5">
          <Command.Empty className="px-3 py-6 text-center text-muted">No provider lists anything like it.</Command.Empty>
          {found.map((row) => (
            <Command.Item
              key={row.instrument}
              value={row.instrument}
              onSelect={() => {
                watch(row.instrument)
                close()
              }}
              className="flex cursor-pointer items-baseline gap-3 rounded-md px-3 py-1.5 text-[13px] data-[selected=true]:bg-raised"
            >
              <span className="font-medium text-bright">{row.instrument}</span>
              <span className="truncate text-muted">{row.name}</span>
              <span className="ml-auto text-[11.5px] whitespace-nowrap text-muted">
                {row.providers.map((one) => one.provider).join(' · ')}
              </span>
            </Command.Item>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  )
}
