/** Interactive Brokers by TWS or the IB Gateway, through its SDK (shells/). https://ibkrcampus.com/campus/ibkr-api-page/twsapi-doc/ */
import type { Interval } from '@tickwire/protocol'
import { adapter, type Access, type Meaning } from './adapter.ts'
import * as account from './interactive-brokers.account.ts'
import * as bars from './interactive-brokers.bars.ts'
import { contractOf, identify, known } from './interactive-brokers.contracts.ts'
import { depth } from './interactive-brokers.depth.ts'
import { failed, rejected } from './interactive-brokers.errors.ts'
import * as lines from './interactive-brokers.lines.ts'
import { ack, begin, drop, openSession, replies, subscribe, unsubscribe } from './interactive-brokers.session.ts'
import type { Asked, Call, Session } from './interactive-brokers.state.ts'
import * as values from './values.ts'

const DATA: Readonly<Record<string, number>> = { live: 1, frozen: 2, delayed: 3, 'delayed-frozen': 4 }
const frameOf = (call: Call): string => JSON.stringify(call)

export const interactiveBrokers = adapter<Session>({
  provider: 'interactive-brokers',
  title: 'Interactive Brokers',
  wsUrl: 'ib://127.0.0.1:4002',
  // Not used: what is asked once goes through the SDK too.
  restUrl: 'http://127.0.0.1:4002',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book', 'index', 'halt', 'position', 'account'],
  whole: ['position', 'account'],
  intervals: Object.keys(bars.BARS) as Interval[],
  needs: [],
  takes: {
    host: 'where TWS or the Gateway runs (127.0.0.1)',
    port: '7496 TWS, 7497 TWS on paper, 4001 Gateway, 4002 Gateway on paper (4002)',
    clientId: 'a number that no other program uses at the same TWS (0)',
    data: '"live", "frozen", "delayed" (15 minutes late where nothing is subscribed; the default) or "delayed-frozen"',
    quotes: '"tick": each change of bid and ask, of which TWS serves few instruments; absent: about four a second',
    bars: '"live": candles up to 1h are folded from five-second bars; absent: bars that TWS keeps up to date'
  },
  offByDefault: true,
  about: {
    docs: 'https://ibkrcampus.com/campus/ibkr-api-page/twsapi-doc/',
    coverage: 'stocks, futures, currencies, coins and indices of most of the world, as far as the account subscribes to them',
    redistribution: 'forbidden',
    cost: 'an account; real-time data by subscription, else 15 minutes late'
  },
  limits: {
    subscriptionsPerConnection: 100, // market data lines of a user, which further connections would share
    connections: 1,
    framesPerSecond: 40, // 50 is where TWS objects
    attempts: { count: 10, per: 60_000 },
    requestsPerSecond: 2,
    requests: [{ count: 60, per: 600_000 }]
  },
  // Nothing comes unasked, so the time is asked for; the answer also proves that TWS has read what was asked before.
  ping: { every: 5_000, frame: frameOf({ call: 'reqCurrentTime', args: [] }) },
  staleAfter: 30_000,
  books: 'pieced', // rows inserted, changed and deleted by position, without a number
  calendar: 'XNYS',
  identify,
  history: (symbol, interval, limit) => bars.historyNeed(symbol, interval, limit),
  fill: (symbol, from, to) => bars.tradesNeed(symbol, from, to),
  dial,

  open: (access) => openSession(access),
  greet: ({ access }) => [frameOf({ call: 'reqMarketDataType', args: [DATA[access.options?.data ?? ''] ?? DATA.delayed] })],
  subscribe: (wanted, session) => subscribe(wanted, session).map(frameOf),
  unsubscribe: (unwanted, session) => unsubscribe(unwanted, session).map(frameOf),

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as unknown
      const events = Array.isArray(message) ? (message as unknown[]) : [message]
      if (need) return need.purpose === 'trades' ? bars.trades(events, need) : bars.history(events, received, need)
      const meanings = values.each(events, (event) => said(event, received, session))
      const changed = lines.flush(received, session)
      return changed.length === 0 ? meanings : [...meanings, ...changed]
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** `ib://127.0.0.1:7497?clientId=7` */
function dial(wsUrl: string, { options = {} }: Access): string {
  const url = new URL(wsUrl)
  if (options.host !== undefined) url.hostname = options.host
  if (options.port !== undefined) url.port = options.port
  if (options.clientId !== undefined) url.searchParams.set('clientId', options.clientId)
  return url.href
}

function said(event: unknown, received: number, session: Session): readonly Meaning[] {
  if (!values.isRecord(event) || typeof event.event !== 'string' || !Array.isArray(event.args))
    return [values.refused('a frame of an unknown shape')]
  const args = event.args as readonly unknown[]
  const general = ofSystem(event.event, args, received, session)
  if (general) return general
  const asked = session.asked.get(args[0] as number)
  // Still on its way when its request was given up.
  if (!asked) return []
  const meanings = ofRequest(event.event, args.slice(1), asked, received, session)
  return asked.acked || !session.asked.has(asked.id) ? meanings : [...ack(session, asked), ...meanings]
}

/** Events that name no request of ours; undefined for all others. */
function ofSystem(name: string, args: readonly unknown[], received: number, session: Session): readonly Meaning[] | undefined {
  switch (name) {
    // {"event":"error","args":["No security definition has been found for the request",200,4]}
    case 'error':
      return failed(args[0], values.number(args[1]), args[2], received, session)
    // {"event":"info","args":["Market data farm connection is OK:usfarm",2104]}: messages of the system come so from the SDK
    case 'info':
      return failed(args[0], values.number(args[1]), -1, received, session)
    // {"event":"server","args":[176,"20260105 09:30:00 EST"]}
    case 'server': {
      const version = values.number(args[0])
      session.shares = { lines: !(version < bars.LINES_IN_SHARES), bars: !(version < bars.BARS_IN_SHARES) }
      return []
    }
    // {"event":"currentTime","args":[1767623400]}
    case 'currentTime':
      return [...session.asked.values()].flatMap((asked) => (asked.pongs++ > 0 ? ack(session, asked) : []))
    // {"event":"position","args":["DU123",{"conId":265598,"symbol":"AAPL","secType":"STK",...},100,150.25]}
    case 'position':
      return session.ids.has('positions *') ? account.position(args, received) : []
    case 'positionEnd':
      return acked('positions *', session)
    default:
      return undefined
  }
}

function acked(key: string, session: Session): readonly Meaning[] {
  const asked = session.asked.get(session.ids.get(key) ?? NaN)
  return asked ? ack(session, asked) : []
}

function ofRequest(name: string, args: readonly unknown[], asked: Asked, received: number, session: Session): readonly Meaning[] {
  const line = session.lines.get(asked.id)
  switch (name) {
    // {"event":"tickPrice","args":[3,1,1.12245,false]}, then {"event":"tickSize","args":[3,0,10700000]}
    case 'tickPrice':
      return line ? lines.priced(line, args[0], args[1], session) : []
    case 'tickSize':
      return line ? lines.sized(line, args[0], args[1], session) : []
    // {"event":"tickString","args":[3,48,"701.28;1;1348075471534;67854;701.46918464;true"]}
    case 'tickString':
      return lines.told(asked, args[0], args[1], session)
    // {"event":"tickGeneric","args":[3,49,0]}
    case 'tickGeneric':
      return lines.halted(asked, args[0], args[1], received, session)
    // {"event":"marketDataType","args":[3,3]}: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen
    case 'marketDataType':
      if (line) line.delayed = args[0] === 3 || args[0] === 4
      return []
    // {"event":"tickByTickAllLast","args":[4,2,"1577811935",413.2,100,{"pastLimit":false,"unreported":false},"ARCA","F"]}
    case 'tickByTickAllLast':
      return lines.tick(asked, args, session)
    // {"event":"tickByTickBidAsk","args":[4,"1577811935",1.1225,1.12255,11500000,1000000,{"bidPastLow":false,"askPastHigh":false}]}
    case 'tickByTickBidAsk':
      return lines.bidAsk(asked, args)
    // {"event":"updateMktDepth","args":[5,0,0,1,413.2,300]}
    case 'updateMktDepth':
      return depth(asked, args, received, session)
    // {"event":"updateMktDepthL2","args":[5,0,"ARCA",0,1,413.2,300,true]}: as above, and whose row it is
    case 'updateMktDepthL2':
      return depth(asked, [args[0], ...args.slice(2)], received, session)
    // {"event":"historicalData","args":[6,"1577725200",413.03,421.06,412.61,419.18,14920,8149,416.886]}
    case 'historicalData':
      return bars.kept(args, asked, received, session)
    case 'historicalDataUpdate':
      return bars.updated(args, asked, received, session)
    // {"event":"realtimeBar","args":[7,1577795225,1.122925,1.122975,1.122925,1.122975,-1,-1,-1]}
    case 'realtimeBar':
      return bars.folded(args, asked, received, session)
    default:
      return ofOthers(name, args, asked, received, session)
  }
}

function ofOthers(name: string, args: readonly unknown[], asked: Asked, received: number, session: Session): readonly Meaning[] {
  switch (name) {
    // {"event":"contractDetails","args":[1,{"contract":{"conId":265598,"symbol":"AAPL",...},"timeZoneId":"US/Eastern","liquidHours":"20260105:0930-20260105:1600"}]}
    case 'contractDetails': {
      const asking = contractOf(asked.symbol)
      const one = values.isRecord(args[0]) && asking ? known(args[0], asking, asked.symbol) : undefined
      const found = session.found.get(asked.id) ?? []
      if (one && found.length < 100) session.found.set(asked.id, [...found, one])
      return one ? [] : [values.refused('contract: no id')]
    }
    case 'contractDetailsEnd':
      return resolved(asked, session)
    // {"event":"accountSummary","args":[8,"DU123","NetLiquidation","1000000.00","USD"]}
    case 'accountSummary':
      return account.figure(args, received, session)
    case 'accountSummaryEnd':
      return account.summed(received, session)
    // Options' greeks, smart components and whatever a later TWS may tell.
    default:
      return []
  }
}

/** Listed on one exchange for all, or the first of several that are the same contract. */
function resolved(asked: Asked, session: Session): readonly Meaning[] {
  const found = session.found.get(asked.id) ?? []
  const [first] = found
  if (!first) return rejected(asked, 'no such contract', session)
  if (found.some(({ contract }) => contract.conId !== first.contract.conId))
    return rejected(asked, `${found.length} contracts of this name: it takes the exchange or the date too`, session)
  session.contracts.set(asked.symbol, first)
  drop(session, asked)
  const channels = [...session.wants].filter(([, symbols]) => symbols.has(asked.symbol)).map(([channel]) => channel)
  return replies(channels.flatMap((channel) => begin(session, channel, asked.symbol)))
}
