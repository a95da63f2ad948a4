/** What a schema says of what it refuses, in our words, where it has none of its own: what would be right, after the field's name. */
import { z } from 'zod'

type Issue = z.core.$ZodRawIssue

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  nan: 'a number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  date: 'a time'
}
const FORMS: Readonly<Record<string, string>> = {
  url: 'an address, as in https://example.com',
  email: 'an e-mail address',
  datetime: 'a time in ISO 8601, as in 2026-11-20T14:30:00Z',
  date: 'a day, as in 2026-11-20',
  uuid: 'a UUID'
}
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items', set: ' items', map: ' items' }

const ranged = (origin: string, limit: unknown, inclusive: boolean | undefined, side: 'least' | 'most'): string => {
  const unit = UNITS[origin]
  const bound = inclusive === false ? (side === 'least' ? 'more than' : 'less than') : `at ${side}`
  return unit === undefined
    ? `must be ${bound} ${String(limit)}`
    : `must have ${bound} ${String(limit)}${Number(limit) === 1 ? unit.slice(0, -1) : unit}`
}

/** Nothing of an issue that a schema of ours describes itself. */
export function inOurWords(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.values.length === 1 ? `must be ${String(issue.values[0])}` : `must be one of ${issue.values.join(', ')}`
    case 'too_small':
      return ranged(issue.origin, issue.minimum, issue.inclusive, 'least')
    case 'too_big':
      return ranged(issue.origin, issue.maximum, issue.inclusive, 'most')
    case 'invalid_format':
      return issue.format === 'regex' ? `must be of the form ${issue.pattern}` : `must be ${FORMS[issue.format] ?? issue.format}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return `${issue.keys.join(', ')}: not known here`
    case 'invalid_key':
      return 'has a name that may not be there'
    case 'invalid_union':
    case 'invalid_element':
      return 'is of none of the forms that it may have'
    default:
      return undefined
  }
}

// Of the whole process: a text that some schema lacks must not be the library's.
z.config({ customError: inOurWords })
