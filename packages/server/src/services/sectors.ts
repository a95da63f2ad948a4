/** Which instruments make a sector, unless the operator says so himself: large US companies and the major crypto pairs. */
export type Sectors = Readonly<Record<string, readonly string[]>>

const pairs = (bases: readonly string[]): string[] => bases.flatMap((base) => ['USDT', 'USD'].map((quote) => `${base}-${quote}`))

export const SECTORS: Sectors = {
  technology: ['AAPL', 'MSFT', 'NVDA', 'AVGO', 'ORCL', 'CRM', 'AMD', 'ADBE', 'INTC', 'CSCO', 'IBM', 'QCOM', 'TXN'],
  communication: ['GOOGL', 'GOOG', 'META', 'NFLX', 'DIS', 'CMCSA', 'VZ', 'T', 'TMUS'],
  consumer: ['AMZN', 'TSLA', 'HD', 'MCD', 'NKE', 'SBUX', 'LOW', 'WMT', 'COST', 'PG', 'KO', 'PEP', 'PM'],
  financials: ['JPM', 'BAC', 'WFC', 'GS', 'MS', 'C', 'V', 'MA', 'AXP', 'BLK', 'SCHW', 'BRK.B'],
  'health-care': ['LLY', 'UNH', 'JNJ', 'ABBV', 'MRK', 'PFE', 'TMO', 'ABT', 'AMGN', 'BMY'],
  energy: ['XOM', 'CVX', 'COP', 'SLB', 'EOG', 'MPC', 'PSX', 'OXY'],
  industrials: ['CAT', 'BA', 'HON', 'GE', 'UPS', 'RTX', 'LMT', 'DE', 'UNP'],
  utilities: ['NEE', 'DUK', 'SO', 'D', 'AEP', 'EXC'],
  crypto: pairs(['BTC', 'ETH', 'SOL', 'XRP', 'BNB', 'ADA', 'DOGE', 'AVAX', 'DOT', 'LINK', 'LTC', 'TRX'])
}
