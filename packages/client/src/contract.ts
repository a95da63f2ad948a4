/** One contract for all readers of a topic: what is enough for the most demanding of them. */
import { SAMPLED, type AskedContract } from '@tickwire/protocol'

/** How often at most something comes, ms; 0: each event. */
function pace({ delivery, interval, maxRate }: AskedContract): number {
  if (maxRate !== undefined) return Math.max(SAMPLED.least, 1_000 / maxRate)
  if (delivery === 'sampled') return interval ?? SAMPLED.least
  return delivery === 'latest' ? 1 : 0
}

type Fields = AskedContract['fields']
function fieldsOf(all: readonly Fields[]): Fields {
  const lists = all.filter((fields): fields is string[] => Array.isArray(fields))
  if (lists.length === all.length) return [...new Set(lists.flat())].sort()
  return all.every((fields) => fields === 'lite') ? 'lite' : undefined
}

/** `undefined`: a reader that asks for nothing special, and so is given everything. */
export function strongest(contracts: readonly (AskedContract | undefined)[]): AskedContract | undefined {
  const asked = contracts.filter((contract) => contract !== undefined)
  const [first] = asked
  if (!first || asked.length < contracts.length) return undefined
  if (asked.length === 1) return first
  const swiftest = asked.reduce((best, contract) => (pace(contract) < pace(best) ? contract : best), first)
  const { delivery, interval, maxRate } = swiftest
  const ages = asked.map(({ maxAge }) => maxAge)
  const fields = fieldsOf(asked.map((contract) => contract.fields))
  const oldest = ages.every((age) => age !== undefined) ? Math.max(...ages) : undefined
  const all = { delivery, interval, maxRate, fields, maxAge: oldest }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const DELIVERIES: ReadonlySet<unknown> = new Set(['every', 'latest', 'sampled'])
const TERMS = ['delivery', 'interval', 'maxRate', 'fields', 'maxAge']
const MOST_FIELDS = 64
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)
const isIn = (value: unknown, least: number, most = Infinity): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most

/**
 * What the server would find wrong with it. It is looked for before contracts are merged: else a wrong one were accepted where
 * another reader asks for more, and refused to that one too where it asks for less.
 */
export function faultIn(contract: unknown): string | undefined {
  if (contract === undefined) return undefined
  if (!isObject(contract)) return 'contract: must be an object, as in {"delivery": "latest"}'
  const { delivery, interval, maxRate, fields, maxAge }: { [K in keyof AskedContract]?: unknown } = contract
  const strangers = Object.keys(contract).filter((name) => !TERMS.includes(name))
  const { least, most } = SAMPLED
  if (delivery !== undefined && !DELIVERIES.has(delivery)) return 'contract.delivery: must be every, latest or sampled'
  if (interval !== undefined && !(Number.isInteger(interval) && isIn(interval, least, most)))
    return `contract.interval: must be ${least} to ${most} ms`
  if (maxRate !== undefined && !isIn(maxRate, 1_000 / most))
    return `contract.maxRate: must be at least ${(1_000 / most).toFixed(4)} a second, one in ${most} ms`
  if (fields !== undefined && fields !== 'lite' && !isFields(fields))
    return `contract.fields: must be "lite" or a list of up to ${MOST_FIELDS} fields, as in ["price", "size"]`
  if (maxAge !== undefined && !(isIn(maxAge, 0) && maxAge !== 0)) return 'contract.maxAge: must be milliseconds above 0'
  if (strangers.length > 0) return `contract: ${strangers.join(', ')}: not of a contract, which has ${TERMS.join(', ')}`
  if (delivery === 'sampled' && interval === undefined && maxRate === undefined)
    return `contract.interval: sampled needs one, ${least} to ${most} ms`
  if (interval !== undefined && delivery !== 'sampled') return 'contract.interval: goes with "delivery": "sampled" alone'
  return undefined
}

const isFields = (fields: unknown): boolean =>
  Array.isArray(fields) &&
  fields.length > 0 &&
  fields.length <= MOST_FIELDS &&
  fields.every((field) => typeof field === 'string' && /^[A-Za-z]{1,40}$/.test(field))
