/** How Interactive Brokers is asked for something, and told that it is no longer wanted. */
import { barsCall } from './interactive-brokers.bars.ts'
import { contractOf } from './interactive-brokers.contracts.ts'
import type { Asked, Call, Session } from './interactive-brokers.state.ts'

const isSmart = ({ contracts }: Session, symbol: string): boolean => contracts.get(symbol)?.contract.exchange === 'SMART'

/** Rows of a book a side. */
const DEPTH = 20
const TAGS =
  'NetLiquidation,TotalCashValue,BuyingPower,AvailableFunds,ExcessLiquidity,GrossPositionValue,InitMarginReq,MaintMarginReq,EquityWithLoanValue'

export function request(session: Session, { id, way, symbol, interval }: Asked): Call {
  const contract = session.contracts.get(symbol)?.contract
  switch (way) {
    case 'details':
      return { call: 'reqContractDetails', args: [id, contractOf(symbol)] }
    case 'ticks':
      return { call: 'reqTickByTickData', args: [id, contract, 'AllLast', 0, false] }
    case 'quotes':
      return { call: 'reqTickByTickData', args: [id, contract, 'BidAsk', 0, false] }
    case 'prints':
      return { call: 'reqMktData', args: [id, contract, '233', false, false] }
    case 'depth':
      return { call: 'reqMktDepth', args: [id, contract, DEPTH, isSmart(session, symbol)] }
    case 'bars':
    case 'live bars':
      return barsCall(id, contract!, interval!, way)
    case 'positions':
      return { call: 'reqPositions', args: [] }
    case 'summary':
      return { call: 'reqAccountSummary', args: [id, 'All', TAGS] }
    default:
      return { call: 'reqMktData', args: [id, contract, '', false, false] }
  }
}

/** What ends a request at TWS. */
export function cancels(session: Session, { id, way, symbol }: Asked): Call[] {
  switch (way) {
    case 'details':
      return []
    case 'ticks':
    case 'quotes':
      return [{ call: 'cancelTickByTickData', args: [id] }]
    case 'depth':
      return [{ call: 'cancelMktDepth', args: [id, isSmart(session, symbol)] }]
    case 'bars':
      return [{ call: 'cancelHistoricalData', args: [id] }]
    case 'live bars':
      return [{ call: 'cancelRealTimeBars', args: [id] }]
    case 'positions':
      return [{ call: 'cancelPositions', args: [] }]
    case 'summary':
      return [{ call: 'cancelAccountSummary', args: [id] }]
    default:
      return [{ call: 'cancelMktData', args: [id] }]
  }
}
