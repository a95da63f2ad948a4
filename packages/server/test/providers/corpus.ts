/** Frames of every adapter of the map, short ones: a mutation anywhere in megabytes would hit nothing but levels. */
import type { Adapter, Need } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { asked } from './interactive-brokers.rig.ts'
import { lines } from './captures.ts'

export type Part = {
  frames: readonly string[]
  /** What the frames are the answer to; without it they came by a socket. */
  need?: Need
  open: () => unknown
}

const need = (rest: Partial<Need>): Need => ({ type: 'need', purpose: 'snapshot', path: '', ...rest })
const short = (name: string, longest = 2_000): string[] => lines(name).filter((line) => line.length < longest)
const adapterOf = (name: string): Adapter => providers[name]!
/** Frames of a socket, in sessions of one route. */
const heard = (name: string, frames: readonly string[], route?: string): Part => ({
  frames,
  open: () => adapterOf(name).open({}, route)
})
const answers = (name: string, frames: readonly string[], of: Partial<Need>): Part => ({
  ...heard(name, frames),
  need: need(of)
})

const kraken = [
  '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":0.5117,"qty":40,"ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}',
  '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":0.1,"bid_qty":740,"ask":0.2,"ask_qty":9.3,"last":0.10177,"volume":997,"vwap":0.1,"low":0.1,"high":0.11,"change":-0.001,"change_pct":-1.17}]}',
  '{"channel":"ohlc","type":"update","timestamp":"2023-10-04T16:26:30.52Z","data":[{"symbol":"BTC/USD","open":1,"high":2,"low":0.5,"close":1.5,"trades":3,"volume":4401,"interval_begin":"2023-10-04T16:25:00Z","interval":5}]}',
  '{"channel":"instrument","type":"snapshot","data":{"pairs":[{"symbol":"BTC/USD","price_precision":1,"qty_precision":8}]}}',
  '{"method":"subscribe","result":{"channel":"book","depth":10,"symbol":"BTC/USD"},"success":true,"req_id":1}'
]
const exchange = [
  '{"type":"match","trade_id":10,"maker_order_id":"a","taker_order_id":"b","side":"sell","size":"5.2","price":"400.2","product_id":"BTC-USD","sequence":50,"time":"2024-11-07T08:19:27.028459Z"}',
  '{"type":"ticker","sequence":37,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.7","volume_24h":"245532.7","low_24h":"1280.5","high_24h":"1313.8","best_bid":"1285.04","best_bid_size":"0.4","best_ask":"1285.27","best_ask_size":"1.9","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4"}',
  '{"type":"l2update","product_id":"BTC-USD","time":"2022-08-04T15:25:05.010758Z","changes":[["buy","22356.270000","0.00000000"],["sell","22357.1","1.5"]]}',
  '{"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[["10102.55","0.57753524"]]}',
  '{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}'
]
const alpaca = {
  crypto: [
    '[{"T":"t","S":"BTC/USD","p":65432.1,"s":0.0012,"t":"2024-03-12T10:27:48.858228144Z","i":3447222699101865076,"tks":"B"}]',
    '[{"T":"q","S":"BTC/USD","bp":65430.5,"bs":0.7,"ap":65433.2,"as":0.4,"t":"2024-03-12T10:29:43.111588173Z"}]',
    '[{"T":"b","S":"BTC/USD","o":65432.1,"h":65440,"l":65430,"c":65436.6,"v":1.2,"t":"2024-03-12T10:39:00Z","n":5,"vw":65434.4}]',
    '[{"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50.79613221Z","b":[{"p":65430.5,"s":0.7}],"a":[{"p":65433.2,"s":0}],"r":true}]'
  ],
  news: [
    '[{"T":"n","id":24918784,"headline":"A headline","summary":"A summary.","author":"A. Writer","created_at":"2022-01-05T22:00:37Z","updated_at":"2022-01-05T22:00:38Z","url":"https://news.example/24918784","content":"<p>text</p>","symbols":["AAPL","TSLA"],"source":"benzinga"}]'
  ],
  account: [
    '{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}',
    '{"stream":"listening","data":{"streams":["trade_updates"]}}',
    '{"stream":"trade_updates","data":{"event":"fill","execution_id":"2f63ea93","price":"179.08","qty":"100","position_qty":"100","timestamp":"2018-02-28T20:38:22Z","order":{"id":"7b7653c4","client_order_id":"e0a3ed76","symbol":"AAPL","side":"buy","type":"market","time_in_force":"day","status":"filled","qty":"100","filled_qty":"100","filled_avg_price":"179.08","limit_price":null,"stop_price":null,"created_at":"2018-02-28T20:38:22Z","updated_at":"2018-02-28T20:38:22Z"}}}',
    '{"stream":"trade_updates","data":{"event":"new","timestamp":"2018-02-28T20:38:22Z","order":{"id":"7b7653c4","symbol":"BTC/USD","side":"sell","type":"limit","status":"new","qty":"0.5","filled_qty":"0","limit_price":"65000","created_at":"2018-02-28T20:38:22Z"}}}'
  ]
}

/** What TWS tells of requests 1 to 12, whichever of them is of the kind. */
const tws: string[] = [
  ...Array.from({ length: 12 }, (_, id) => id + 1).flatMap((id): [string, ...unknown[]][] => [
    ['tickPrice', id, 1, 293.5, { canAutoExecute: true }],
    ['tickPrice', id, 2, 293.6, {}],
    ['tickPrice', id, 4, 293.55, {}],
    ['tickSize', id, 0, 100],
    ['tickString', id, 45, '1577811902'],
    ['tickByTickAllLast', id, 1, '1577811902', 293.55, 100, { pastLimit: false, unreported: false }, 'ARCA', ''],
    ['updateMktDepth', id, 0, 0, 1, 293.5, 100],
    ['updateMktDepth', id, 0, 1, 0, 293.6, 300],
    ['realtimeBar', id, 1_577_811_900, 293.5, 293.9, 293.4, 293.8, 700, 293.6, 8],
    ['historicalDataUpdate', id, '1577811840', 293.5, 293.9, 293.4, 293.8, 700, 8, 293.6],
    ['accountSummary', id, 'DU123', 'NetLiquidation', '100000.5', 'USD'],
    ['error', 'No security definition has been found for the request', 200, id]
  ]),
  ['position', 'DU123', { symbol: 'AAPL', secType: 'STK', currency: 'USD' }, 100, 290.5],
  ['info', 'Market data farm connection is OK:usfarm', 2104],
  ['server', 176, '20260105 09:30:00 EST'],
  ['currentTime', 1_577_811_902]
].map(([event, ...args]) => JSON.stringify({ event, args }))

const item =
  '<item><title>A &lt;b&gt;headline&lt;/b&gt;</title><link>https://news.example/1?utm_source=x</link><guid>g1</guid><pubDate>Tue, 10 Jun 2025 04:00:00 GMT</pubDate><description>Text of <![CDATA[<p>it</p>]]></description></item>'
const feeds = [
  `<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>C</title>${item}</channel></rss>`,
  '<feed xmlns="http://www.w3.org/2005/Atom"><title>C</title><entry><id>urn:1</id><title type="html">A &amp;amp; B</title><link href="https://news.example/2"/><updated>2025-06-10T04:00:00Z</updated><summary>s</summary></entry></feed>',
  '{"version":"https://jsonfeed.org/version/1.1","title":"C","items":[{"id":"3","url":"https://news.example/3","title":"A headline","content_html":"<p>t</p>","date_published":"2025-06-10T04:00:00Z"}]}'
]

type Fixture = { fixture: string; body: unknown }
const vantage = lines('alpha-vantage/rest-romeltorres.jsonl.gz').map((line) => JSON.parse(line) as Fixture)
/** The first rows of each long table: what is refused of one row is refused of a thousand. */
const clipped = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.slice(0, 2).map(clipped)
      : Object.fromEntries(
          Object.entries(value)
            .slice(0, Object.keys(value).length > 40 ? 4 : 40)
            .map(([key, inner]) => [key, clipped(inner)])
        )
const tables = vantage.map(({ body }) => JSON.stringify(clipped(body))).filter((frame) => frame.length < 5_000 && frame !== '{}')
const STORY =
  '{"items":"1","feed":[{"title":"A","url":"https://news.example/1","time_published":"20250610T040000","authors":["B"],"summary":"s","source":"C","overall_sentiment_score":0.2,"ticker_sentiment":[{"ticker":"AAPL","relevance_score":"0.5"}]}]}'

const ccxt = ['trades', 'ticker', 'ohlcv'].flatMap((kind) =>
  ['binance-spot-2021-10-12', 'binance-usdm-futures-2021-07-22'].flatMap((of) => short(`ccxt/unified-${kind}-${of}.jsonl`))
)
const ccxtCoinbase = ['trades', 'ticker', 'orderbook'].flatMap((kind) =>
  short(`ccxt/unified-${kind}-coinbase-advanced-2026-08-09.jsonl`)
)
const fyers = [
  'symbolupdate-full-mcx-2025-01-02',
  'indexupdate-niftybank-2024-06-25',
  'depthupdate',
  'symbolupdate-full-nse',
  'symbolupdate-lite-shape'
].flatMap((name) => lines(`fyers/${name}.jsonl`))

/** By provider: every adapter of the map has its row. */
export const CORPUS: Readonly<Record<string, readonly Part[]>> = {
  binance: [
    heard('binance', [
      ...lines('binance/spot-2021-10-12.jsonl').slice(0, 120),
      ...lines('binance/us-2021-10-12.jsonl').slice(0, 80)
    ])
  ],
  coinbase: [heard('coinbase', short('coinbase/advanced-2026-08-09.jsonl.gz').slice(0, 200))],
  kraken: [heard('kraken', [...lines('kraken/derived-v2-v1-2021-04-17-book1000.jsonl').slice(20, 120), ...kraken])],
  massive: [heard('massive', lines('massive/ws-doc-samples.jsonl'))],
  finnhub: [heard('finnhub', lines('finnhub/ws-trades.jsonl'))],
  yahoo: [heard('yahoo', lines('yahoo/stream-frames.jsonl'))],
  fmp: [heard('fmp', lines('fmp/ws-frames-documented.jsonl'))],
  'binance-us': [heard('binance-us', lines('binance/us-2021-10-12.jsonl').slice(0, 100))],
  'binance-usdm': [heard('binance-usdm', lines('binance/usdm-futures-2021-07-22.jsonl.gz').slice(0, 200))],
  'binance-coinm': [heard('binance-coinm', lines('binance/coinm-futures-2021-07-22.jsonl.gz').slice(0, 200))],
  'kraken-futures': [heard('kraken-futures', short('kraken/futures-2021-07-22.jsonl.gz').slice(0, 200))],
  'coinbase-exchange': [heard('coinbase-exchange', exchange)],
  alpaca: [
    heard('alpaca', [...lines('alpaca/ws-session-sip-2023-04-06.jsonl'), ...lines('alpaca/ws-kinds-sdk-tests.jsonl')]),
    ...Object.entries(alpaca).map(([route, frames]) => heard('alpaca', frames, route))
  ],
  fyers: [heard('fyers', fyers)],
  ccxt: [heard('ccxt', ccxt, 'binance'), heard('ccxt', ccxtCoinbase, 'coinbase')],
  'interactive-brokers': [
    {
      frames: tws,
      open: () =>
        asked([
          ...(['quote', 'trade', 'ticker', 'book', 'position', 'account'] as const).map((kind) => ({ kind, symbol: 'AAPL' })),
          { kind: 'candle', symbol: 'AAPL', interval: '1m' }
        ]).session
    }
  ],
  'alpha-vantage': [
    answers('alpha-vantage', tables, { symbol: 'MSFT' }),
    answers('alpha-vantage', tables, { purpose: 'history', symbol: 'MSFT', interval: '1d' }),
    answers('alpha-vantage', [STORY], { note: 'news' })
  ],
  rss: [answers('rss', feeds, { path: 'https://news.example/feed', note: 'https://news.example/feed', bytes: true })]
}
