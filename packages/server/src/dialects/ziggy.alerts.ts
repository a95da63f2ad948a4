/** `/ws/alerts` of the Ziggy endpoints: test alerts; the service of alerts itself is not there yet; docs/websocket-s0-s1.md. */
import type { Command, Desk, Dialect } from './dialect.ts'
import { iso } from './fiml.messages.ts'
import { allNotHere, greeting, missingRoutes, notHere } from './ziggy.absent.ts'
import { counted, createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'
import { reading, say, setFiltersSchema, symbolsSchema, testAlertSchema, type Message } from './ziggy.messages.ts'
import { find, refusals, type Named } from './ziggy.naming.ts'
import { picturesOf, quoteData } from './ziggy.quote.ts'

export type Memory = Talk & { session: string; tests: number }

const MANAGE = [
  'create',
  'update',
  'enable',
  'disable',
  'delete',
  'list',
  'set_preferences',
  'get_preferences',
  'get_snapshot',
  'force_update'
]

function priceOf(desk: Desk, named: Named | undefined): number | null {
  const quote = named && quoteData(named.symbol, picturesOf(desk, named.instrument), false)
  return typeof quote?.price === 'number' ? quote.price : null
}

/** An alert that is none: it shows a client what one looks like, and says so in `test`. */
function testAlert(memory: Memory, named: Named | undefined, message: string | undefined, now: number): Command {
  const about = named === undefined ? '' : ` for ${named.symbol}`
  const condition = {
    symbol: named?.symbol ?? null,
    condition_type: 'test',
    threshold: null,
    current_value: priceOf(memory.desk, named)
  }
  const at = { triggered_at: iso(now), created_at: iso(now) }
  const text = message ?? `This is a test alert${about}.`
  return say(
    'alert_triggered',
    { data: { id: `test-${memory.session}-${++memory.tests}`, ...condition, message: text, ...at, test: true } },
    now
  )
}

function test(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(testAlertSchema, message, now, ({ symbol, symbols, message: text }) => {
    const asked = [...new Set([...(symbols ?? []), ...(symbol ? [symbol] : [])].map((each) => each.toUpperCase()))]
    const { known, refused } = find(memory.desk, asked)
    const about = asked.length === 0 ? [undefined] : known
    const alerts = about.map((named) => testAlert(memory, named, text ?? undefined, now))
    return [...counted(memory, alerts, now), ...refusals(refused, now)]
  })
}

const ROUTES = ['GET /alerts/status', 'GET /alerts/list', 'GET /alerts/history', 'POST /alerts/create']

export function createAlerts({ heartbeat }: { heartbeat?: Heartbeat } = {}): Dialect<Memory> {
  return createChannel<Memory>(
    {
      name: 'alerts',
      path: '/ws/alerts',
      interval: 0,
      running: false,
      begin: (talk, { session }, now) => ({ memory: { ...talk, session, tests: 0 }, commands: [greeting('alerts', now)] }),
      actions: {
        test_alert: test,
        subscribe: (message, _memory, now) => reading(symbolsSchema, message, now, () => [notHere('alerts', now)]),
        unsubscribe: (message, _memory, now) => reading(symbolsSchema, message, now, () => [notHere('alerts', now)]),
        set_filters: (message, _memory, now) => reading(setFiltersSchema, message, now, () => [notHere('alerts', now)]),
        ...allNotHere('alerts', MANAGE)
      },
      http: missingRoutes('alerts', ROUTES)
    },
    heartbeat
  )
}

export const alerts = createAlerts()
