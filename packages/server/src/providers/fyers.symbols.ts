/** Fyers' symbols: what they are here, and the topics of the data socket that carry them. */
import type { Listing } from './adapter.ts'

/** First four digits of a token ("fytoken") → its segment; the exchange's own number begins at the eleventh. */
const SEGMENTS: Readonly<Record<string, string>> = {
  '1010': 'nse_cm',
  '1011': 'nse_fo',
  '1012': 'cde_fo',
  '1020': 'nse_com',
  '1120': 'mcx_fo',
  '1210': 'bse_cm',
  '1211': 'bse_fo',
  '1212': 'bcs_fo'
}
const NUMBER_AT = 10
const EXCHANGES: Readonly<Record<string, string>> = { nse: 'NSE', cde: 'NSE', bse: 'BSE', bcs: 'BSE', mcx: 'MCX' }

/** Indices go by the exchange's name for them. Those whose symbol is not that name without spaces stand as `symbol=name`. */
const NSE_INDICES = `FINNIFTY=Nifty Fin Service,MIDCPNIFTY=NIFTY MID SELECT,NIFTYMIDSELECT=NIFTY MID SELECT,NIFTYNXT50=Nifty Next 50,Nifty Next 50,
  NIFTYQUALITY30=NIFTY100 Qualty30,Nifty 50,Nifty Bank,India VIX,Nifty 100,Nifty 200,Nifty 500,NIFTY MIDCAP 150,NIFTY MIDCAP 100,
  Nifty Midcap 50,NIFTY SMLCAP 50,NIFTY SMLCAP 100,NIFTY SMLCAP 250,NIFTY MIDSML 400,NIFTY LARGEMID250,NIFTY MICROCAP250,
  NIFTY TOTAL MKT,NIFTY500 MULTICAP,Nifty Auto,Nifty Commodities,NIFTY CONSR DURBL,Nifty Consumption,Nifty CPSE,Nifty Energy,
  Nifty FMCG,NIFTY HEALTHCARE,NIFTY IND DIGITAL,NIFTY INDIA MFG,Nifty Infra,Nifty IT,Nifty Media,Nifty Metal,Nifty MNC,
  NIFTY OIL AND GAS,Nifty Pharma,Nifty PSE,Nifty PSU Bank,Nifty Pvt Bank,Nifty Realty,Nifty Serv Sector,Nifty Div Opps 50,
  Nifty GrowSect 15,NIFTY Alpha 50,NIFTY AlphaLowVol,Nifty HighBeta 50,Nifty Low Vol 50,NIFTY M150 QLTY50,NIFTY200 QUALTY30,
  Nifty200Momentm30,Nifty100 Liq 15,Nifty Mid Liq 15,Nifty50 Value 20,NIFTY100 ESG,Nifty100ESGSecLdr,Nifty GS 10Yr,Nifty GS 10Yr Cln,
  Nifty GS 4 8Yr,Nifty GS 8 13Yr,Nifty GS 11 15Yr,Nifty GS 15YrPlus,Nifty GS Compsite,Nifty50 PR 1x Inv,Nifty50 PR 2x Lev,
  Nifty50 TR 1x Inv,Nifty50 TR 2x Lev,Nifty50 Div Point,Nifty Ind Defence,Nifty Capital Mkt,Nifty EV,Nifty Housing,Nifty IPO,
  Nifty Mobility,Nifty Rural,Nifty Trans Logis,NIFTY50 EQL WGT=NIFTY50 EQL Wgt,NIFTY100 EQL WGT=NIFTY100 EQL Wgt,
  NIFTY100 LOWVOL30=NIFTY100 LowVol30`
const BSE_INDICES = `SENSEX,BANKEX,SNSX50,SNXT50,100=BSE100,200=BSE200,500=BSE500,ALLCAP,AUTO,BASMTR,BHRT22,CARBONEX=CARBON,CD=BSE CD,
  CDGS,CG=BSE CG,CPSE,ENERGY,ESG100,FIN,FMC=BSEFMC,GREENEX=GREENX,HC=BSE HC,INDSTR,INFRA,IPO=BSEIPO,IT=BSE IT,LRGCAP,METAL,MIDCAP,
  MIDSEL,OILGAS,POWER,PSU=BSEPSU,REALTY,SMLCAP,SMLSEL,TECK,TELCOM,UTILS,150MIDCAP=MID150,250SMALLCAP=SML250,250LARGEMIDCAP=LMI250,
  400MIDSMALLCAP=MSL400,100LARGECAPTMC=LCTMCI`
/** Those of the BSE that need not say so to be known. */
const UNMISTAKABLE = new Set(['SENSEX', 'BANKEX', 'SNSX50', 'SNXT50'])

/** Symbol → name on the feed; name → symbol, where the first listed of two wins; instrument id → symbol. */
const NAMES = new Map<string, string>()
const SYMBOLS = new Map<string, string>()
const INDICES = new Map<string, string>()
for (const [exchange, list] of Object.entries({ NSE: NSE_INDICES, BSE: BSE_INDICES }))
  for (const entry of list.split(',').map((text) => text.trim())) {
    const [code, name = code] = entry.split('=') as [string, string?]
    const symbol = `${exchange}:${name === code ? code.replaceAll(' ', '').toUpperCase() : code}-INDEX`
    NAMES.set(symbol, name)
    if (!SYMBOLS.has(`${exchange} ${name}`)) SYMBOLS.set(`${exchange} ${name}`, symbol)
    INDICES.set(indexId(symbol), symbol)
  }

export const isIndex = (symbol: string): boolean => symbol.endsWith('-INDEX')

/** `NSE:NIFTY50-INDEX` → `INDEX:NIFTY50`; `BSE:AUTO-INDEX` → `INDEX:BSE-AUTO`, because the other exchange has one too. */
function indexId(symbol: string): string {
  const [, exchange, name = ''] = /^([A-Z]+):(.+)-INDEX$/.exec(symbol) ?? []
  return `INDEX:${exchange === 'BSE' && !UNMISTAKABLE.has(name) ? 'BSE-' : ''}${name.replaceAll(' ', '-')}`
}

/** An id must lead back to the symbol; of what is not known and not spelt as the others are, the symbol itself does. */
function idOf(symbol: string): string {
  const id = indexId(symbol)
  if (INDICES.get(id) === symbol) return id
  const isRegular = /^(?:NSE:(?:NIFTY|BHARATBOND)|BSE:)[A-Z0-9-]*$/.test(symbol) && !INDICES.has(id)
  return isRegular ? id : symbol
}

/** Where it trades when NSE is closed. */
const calendarOf = (symbol: string): Pick<Listing, 'calendar'> =>
  symbol.startsWith('BSE:') ? { calendar: 'XBOM' } : symbol.startsWith('MCX:') ? { calendar: 'XIMC' } : {}

const unfold = (symbol: string, base: string): Listing => ({ symbol, base, trading: true, ...calendarOf(symbol) })

/** `NSE:SBIN-EQ`, `BSE:PIDILITIND-A`, `NSE:NIFTY25DECFUT`, `MCX:CRUDEOIL25JAN5900CE`, `NSE:NIFTY50-INDEX`, `INDEX:NIFTY50`. */
export function identify(text: string): Listing | undefined {
  const known = INDICES.get(text)
  if (known !== undefined) return unfold(known, text)
  const [, ours, named = ''] = /^INDEX:(BSE-|(?=NIFTY|BHARATBOND))([A-Z0-9-]{1,40})$/.exec(text) ?? []
  if (ours !== undefined) return unfold(`${ours === '' ? 'NSE' : 'BSE'}:${named}-INDEX`, text)
  const [, exchange, name = ''] = /^(NSE|BSE|MCX):([A-Z0-9][A-Z0-9&_. -]*)$/.exec(text) ?? []
  if (exchange === undefined || name.length > 40) return undefined
  if (isIndex(name)) return unfold(text, idOf(text))
  const isContract = exchange === 'MCX' || /(?:FUT|\d(?:CE|PE))$/.test(name)
  if (isContract || name.includes('-')) return name.includes(' ') ? undefined : unfold(text, text)
  // Nobody writes the series of a share; on the BSE it cannot be guessed.
  return exchange === 'NSE' && !name.includes(' ') ? unfold(`${text}-EQ`, `${text}-EQ`) : undefined
}

/** `sf|nse_cm|3045`; nothing where the token is of no known segment, or where there is no such channel for it. */
export function topicOf(channel: string, symbol: string, token: string): string | undefined {
  const segment = SEGMENTS[token.slice(0, 4)]
  const number = isIndex(symbol) ? (NAMES.get(symbol) ?? /:([^-]*)/.exec(symbol)?.[1]) : token.slice(NUMBER_AT)
  return segment === undefined || number === undefined || number === '' ? undefined : `${channel}|${segment}|${number}`
}

/** The symbol of a topic that we did not ask for, from what its snapshot says. */
export function symbolOf(topic: string, name: string): string | undefined {
  const [channel, segment = '', number = ''] = topic.split('|')
  const exchange = EXCHANGES[segment.split('_')[0] ?? '']
  if (exchange === undefined) return undefined
  if (channel === 'if')
    return SYMBOLS.get(`${exchange} ${number}`) ?? `${exchange}:${number.replaceAll(' ', '').toUpperCase()}-INDEX`
  if (name.includes(':')) return name
  return name === '' ? undefined : `${exchange}:${name}`
}
