/** The live table in a terminal: board.ts knows, table.ts draws, screen.ts shows. */
import type { Client, ConnectionState } from '@tickwire/client'
import type { AskedContract, TopicResult } from '@tickwire/protocol'
import { baseOf } from '../ask.ts'
import type { Reading, StreamFlags } from './reading.ts'
import { paintFor } from '../terminal/colours.ts'
import { plain } from '../terminal/plain.ts'
import { createBoard, onEvent, onNote, onResult, onStatus } from './board.ts'
import { concerns } from './fields.ts'
import { openScreen } from './screen.ts'
import { drawTable } from './table.ts'

/** Ten times a second an age grows evenly. */
const DRAWN_EVERY = 100

export function openLive(topics: readonly string[], flags: StreamFlags): Reading {
  const board = createBoard(topics, baseOf(flags))
  const screen = openScreen(process.stdout)
  const paint = paintFor(process.stdout, process.env)
  const { type } = flags
  const lines = (): string[] =>
    drawTable(board, { ...screen.size(), now: Date.now(), paint, type, staleAfter: flags.stale * 1_000 })
  const timer = setInterval(() => screen.draw(lines()), DRAWN_EVERY)
  return {
    event: (event) => onEvent(board, event, Date.now()),
    note(text) {
      onNote(board, text)
      if (!process.stderr.isTTY) console.error(`tickwire: ${text}`)
    },
    state: (state) => onState(board, state),
    watch(client: Client, contract: AskedContract | undefined) {
      client.on('status', (status) => onStatus(board, status))
      client.on('gap', (hole) => {
        if (hole.source !== 'provider' || concerns(type, hole.event.kind)) board.counts.gaps++
      })
      client.on('lost', ({ count }) => (board.counts.lost += count))
      const told = { onResult: (result: TopicResult) => onResult(board, result) }
      client.subscribe(topics, () => {}, contract === undefined ? told : { ...told, contract })
    },
    end() {
      clearInterval(timer)
      screen.leave(lines())
    }
  }
}

function onState(board: ReturnType<typeof createBoard>, { phase, reason, hello }: ConnectionState): void {
  board.isOpen = phase === 'open'
  board.words = phase === 'open' ? 'live' : plain(reason)
  if (phase !== 'open' || !hello) return
  board.mode = hello.mode
  board.offset = hello.now - Date.now()
}
