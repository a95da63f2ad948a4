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
