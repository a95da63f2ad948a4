/** From TypeScript's types to JSON Schema: as much of the language as packages/protocol uses, and an error for anything else. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from '@babel/parser'

export type Schema = { [keyword: string]: unknown }
/** Of @babel/parser's nodes what is read here. */
type Node = { type: string; [field: string]: any }
type Alias = { parameters: { name: string; fallback: Node | undefined }[]; type: Node; comment?: string }

export type Types = ReturnType<typeof readTypes>

const textOf = (comments: readonly { value: string }[] | undefined): string | undefined => {
  const doc = comments?.findLast(({ value }) => value.startsWith('*'))
  return doc?.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim()
}

const withText = (schema: Schema, description: string | undefined): Schema =>
  description === undefined ? schema : { ...schema, description }

/** A value that stands in the source: literals, arrays and objects of them, other values by name. */
function valueOf(node: Node, values: ReadonlyMap<string, Node>): any {
  if (node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression') return valueOf(node['expression'], values)
  if (node.type === 'ArrayExpression')
    return node['elements'].flatMap((each: Node) =>
      each.type === 'SpreadElement' ? valueOf(each['argument'], values) : [valueOf(each, values)]
    )
  if (node.type === 'ObjectExpression')
    return Object.fromEntries(
      node['properties'].map(({ key, value }: Node) => [key.name ?? key.value, valueOf(value, values)] as const)
    )
  if (node.type === 'Identifier' && values.has(node['name'])) return valueOf(values.get(node['name'])!, values)
  if (node.type === 'UnaryExpression') return -valueOf(node['argument'], values)
  if ('value' in node) return node['value']
  return undefined
}

/** All exported and other type aliases of a directory, by name. */
export function readTypes(directory: URL) {
  const aliases = new Map<string, Alias>()
  const values = new Map<string, Node>()
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.ts'))) {
    const { program } = parse(readFileSync(new URL(file, directory), 'utf8'), { sourceType: 'module', plugins: ['typescript'] })
    for (const statement of program.body as unknown as Node[]) {
      const declared: Node = statement['declaration'] ?? statement
      if (declared.type === 'TSTypeAliasDeclaration') {
        const parameters = (declared['typeParameters']?.params ?? []).map((each: Node) => ({
          name: each['name']?.name ?? each['name'],
          fallback: each['default']
        }))
        const comment = textOf(statement['leadingComments'])
        aliases.set(declared['id'].name, { parameters, type: declared['typeAnnotation'], ...(comment && { comment }) })
      }
      if (declared.type === 'VariableDeclaration')
        for (const { id, init } of declared['declarations']) if (init) values.set(id.name, init)
    }
  }
  return { aliases, values }
}

type Scope = ReadonlyMap<string, Schema>
const KEYWORDS: Record<string, Schema> = {
  TSStringKeyword: { type: 'string' },
  TSNumberKeyword: { type: 'number' },
  TSBooleanKeyword: { type: 'boolean' },
  TSUnknownKeyword: {},
  TSNullKeyword: { type: 'null' }
}

const isObject = (schema: Schema) => schema['type'] === 'object'
const choices = (schema: Schema): Schema[] => (schema['anyOf'] as Schema[] | undefined) ?? [schema]
const oneOf = (schemas: readonly Schema[]): Schema => {
  const flat = schemas.flatMap(choices)
  const values = flat.flatMap(
    (each) => (each['const'] === undefined ? (each['enum'] as unknown[] | undefined) : [each['const']]) ?? []
  )
  if (flat.every((each) => each['const'] !== undefined || each['enum'] !== undefined)) return { enum: [...new Set(values)] }
  return flat.length === 1 ? flat[0]! : { anyOf: flat }
}

/** `A & B`: objects become one; of unions each with each. */
function both(left: Schema, right: Schema): Schema {
  const pairs = choices(left).flatMap((one) => choices(right).map((other) => [one, other] as const))
  return oneOf(
    pairs.map(([one, other]) => {
      if (!isObject(one) || !isObject(other)) throw new Error(`only objects are intersected, not ${JSON.stringify([one, other])}`)
      const required = [...((one['required'] as string[]) ?? []), ...((other['required'] as string[]) ?? [])]
      return {
        ...one,
        ...other,
        properties: { ...(one['properties'] as object), ...(other['properties'] as object) },
        ...(required.length > 0 && { required: [...new Set(required)] })
      }
    })
  )
}

const keysOf = (schema: Schema): string[] =>
  choices(schema).flatMap((each) => (each['const'] === undefined ? (each['enum'] as string[]) : [each['const'] as string]))

const pick = (schema: Schema, keep: (key: string) => boolean): Schema => ({
  ...schema,
  properties: Object.fromEntries(Object.entries(schema['properties'] as object).filter(([key]) => keep(key))),
  required: ((schema['required'] as string[] | undefined) ?? []).filter(keep)
})

/** Whether one of a union is meant by `Extract<…, { op: 'lost' }>`. */
const matches = (schema: Schema, wanted: Schema): boolean =>
  Object.entries((wanted['properties'] ?? {}) as Record<string, Schema>).every(
    ([key, { const: value }]) => (schema['properties'] as Record<string, Schema> | undefined)?.[key]?.['const'] === value
  )

/** The schema of a type; `inline` is asked of each name whether it is written out where it is used. */
export function createSchemas({ aliases, values }: Types) {
  const utility: Record<string, (args: Schema[]) => Schema> = {
    Readonly: ([of]) => of!,
    Record: ([, of]) => ({ type: 'object', additionalProperties: of }),
    Partial: ([of]) => ({ ...of, required: [] }),
    Omit: ([of, keys]) => pick(of!, (key) => !keysOf(keys!).includes(key)),
    Pick: ([of, keys]) => pick(of!, (key) => keysOf(keys!).includes(key)),
    Extract: ([of, wanted]) => oneOf(choices(of!).filter((each) => matches(each, wanted!))),
    Exclude: ([of, wanted]) => oneOf(choices(of!).filter((each) => !matches(each, wanted!)))
  }

  const reference = (node: Node, scope: Scope): Schema => {
    const name: string = node['typeName'].name
    const args = ((node['typeParameters'] ?? node['typeArguments'])?.params ?? []).map((each: Node) =>
      of(each, scope)
    ) as Schema[]
    const bound = scope.get(name)
    if (bound) return bound
    const made = utility[name]
    if (made) return made(args)
    const alias = aliases.get(name)
    if (!alias) throw new Error(`there is no type ${name}`)
    return of(alias.type, scopeOf(alias, args))
  }

  const scopeOf = ({ parameters }: Alias, args: readonly Schema[] = []): Scope =>
    new Map(parameters.map(({ name, fallback }, i) => [name, args[i] ?? (fallback ? of(fallback) : {})]))

  const literal = (members: readonly Node[], scope: Scope): Schema => {
    const properties: Record<string, Schema> = {}
    const required: string[] = []
    for (const member of members) {
      if (member.type !== 'TSPropertySignature') throw new Error(`${member.type} in an object`)
      const name: string = member['key'].name ?? member['key'].value
      properties[name] = withText(of(member['typeAnnotation'].typeAnnotation, scope), textOf(member['leadingComments']))
      if (member['optional'] !== true) required.push(name)
    }
    return { type: 'object', properties, ...(required.length > 0 && { required }) }
  }

  const tuple = (elements: readonly Node[], scope: Scope): Schema => ({
    type: 'array',
    items: elements.map((each) => (each.type === 'TSNamedTupleMember' ? of(each['elementType'], scope) : of(each, scope))),
    minItems: elements.length,
    maxItems: elements.length
  })

  /** `(typeof LIST)[number]`, `keyof typeof TABLE`. */
  const fromValue = (node: Node): Schema => {
    const operand: Node = node['objectType'] ?? node['typeAnnotation']
    const query = operand.type === 'TSParenthesizedType' ? operand['typeAnnotation'] : operand
    const value = valueOf({ type: 'Identifier', name: query['exprName'].name }, values)
    const keys = Array.isArray(value) ? value : Object.keys(value as object).map((key) => (/^\d+$/.test(key) ? Number(key) : key))
    return { enum: keys }
  }

  function of(node: Node, scope: Scope = new Map()): Schema {
    const keyword = KEYWORDS[node.type]
    if (keyword) return { ...keyword }
    switch (node.type) {
      case 'TSLiteralType':
        return { const: valueOf(node['literal'], values) }
      case 'TSTypeLiteral':
        return literal(node['members'], scope)
      case 'TSUnionType':
        return oneOf(node['types'].map((each: Node) => of(each, scope)))
      case 'TSIntersectionType':
        return node['types'].map((each: Node) => of(each, scope)).reduce(both)
      case 'TSParenthesizedType':
        return of(node['typeAnnotation'], scope)
      case 'TSArrayType':
        return { type: 'array', items: of(node['elementType'], scope) }
      case 'TSTupleType':
        return tuple(node['elementTypes'], scope)
      case 'TSTypeReference':
        return reference(node, scope)
      case 'TSIndexedAccessType':
        return fromValue(node)
      case 'TSTypeOperator':
        return node['operator'] === 'readonly' ? of(node['typeAnnotation'], scope) : fromValue(node)
      default:
        throw new Error(`${node.type} is not understood: teach it to scripts/types.ts`)
    }
  }

  const named = (name: string): Schema => {
    const alias = aliases.get(name)
    if (!alias) throw new Error(`there is no type ${name}`)
    return withText(of(alias.type, scopeOf(alias)), alias.comment)
  }
  return { named, value: (name: string): unknown => valueOf({ type: 'Identifier', name }, values) }
}
