/** Reads a tree of sources into what the rules speak of: imports, words, and the length of each function. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parse } from '@babel/parser'

export type Source = {
  /** Path from the root of the checkout, with slashes. */
  path: string
  text: string
  lines: number
  /** Relative imports resolved to paths from the root; others as written. Type-only imports count too. */
  imports: readonly string[]
  functions: readonly { name: string; line: number; lines: number }[]
  /** `Date.now`, `await`, `process`, ...: what a pure file may not use, with its line. */
  impure: readonly { what: string; line: number }[]
}

type Node = { type: string; loc?: { start: { line: number }; end: { line: number } }; [key: string]: unknown }

const GLOBALS = new Set([
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'fetch',
  'globalThis',
  'console'
])

export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(
        (f) =>
          f.isFile() && /\.tsx?$/.test(f.name) && !f.name.endsWith('.d.ts') && !/node_modules|\/dist(\/|$)/.test(f.parentPath)
      )
      .map((f) => {
        const path = join(f.parentPath, f.name)
        return readSource(path.slice(root.length).replaceAll('\\', '/').replace(/^\//, ''), readFileSync(path, 'utf8'))
      })
  )
}

export function readSource(path: string, text: string): Source {
  const ast = parse(text, { sourceType: 'module', plugins: ['typescript', ...(path.endsWith('x') ? (['jsx'] as const) : [])] })
  const imports: string[] = []
  const functions: { name: string; line: number; lines: number }[] = []
  const impure: { what: string; line: number }[] = []
  visit(ast.program as unknown as Node, undefined, (node, parent) => {
    const line = node.loc?.start.line ?? 0
    const from = (node.source as { value?: string } | null | undefined)?.value
    if (/^(Import|Export)/.test(node.type) && from !== undefined) imports.push(resolveImport(path, from))
    const asked = dynamicImport(node)
    if (asked !== undefined) imports.push(resolveImport(path, asked))
    if (/Function|ObjectMethod|ClassMethod/.test(node.type) && (node.body as Node | undefined)?.type === 'BlockStatement')
      functions.push({ name: nameOf(node, parent), line, lines: ownLines(node) })
    const what = impurity(node, parent)
    if (what) impure.push({ what, line })
  })
  return { path, text, lines: text.split('\n').length, imports, functions, impure }
}

/** Its lines without those of the functions inside it: a factory of closures is as long as what it says itself. */
function ownLines(node: Node): number {
  const { start, end } = node.loc!
  const inner = new Set<number>()
  visit(node, undefined, (child) => {
    if (child === node || !/Function|ObjectMethod|ClassMethod/.test(child.type)) return
    for (let line = child.loc!.start.line + 1; line < child.loc!.end.line; line++) inner.add(line)
  })
  return end.line - start.line + 1 - inner.size
}

/** `import('x')`, as the parser writes it. */
const dynamicImport = (node: Node): string | undefined =>
  node.type === 'CallExpression' && (node.callee as Node).type === 'Import'
    ? (node.arguments as { value?: string }[])[0]?.value
    : undefined

const resolveImport = (path: string, from: string): string => {
  if (from.startsWith('.')) return posix.normalize(posix.join(posix.dirname(path), from))
  const inServer = /^@tickwire\/server\/(.+)$/.exec(from)
  return inServer ? `packages/server/src/${inServer[1]}` : from
}

const nameOf = (node: Node, parent: Node | undefined): string => {
  const named = (node.id ?? node.key ?? parent?.id ?? parent?.key) as { name?: string } | undefined
  return named?.name ?? 'anonymous'
}

function impurity(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === 'AwaitExpression') return 'await'
  if (
    node.type === 'NewExpression' &&
    (node.callee as Node & { name?: string }).name === 'Date' &&
    (node.arguments as []).length === 0
  )
    return 'new Date()'
  if (node.type === 'MemberExpression') {
    const text = `${(node.object as { name?: string }).name}.${(node.property as { name?: string }).name}`
    return ['Date.now', 'Math.random', 'crypto.randomUUID', 'Temporal.Now'].includes(text) ? text : undefined
  }
  if (node.type !== 'Identifier' || !GLOBALS.has(node.name as string)) return undefined
  const isName =
    parent &&
    ((parent.type === 'MemberExpression' && parent.property === node) ||
      (/Property|Method|Signature|TS/.test(parent.type) && parent.key === node))
  return isName ? undefined : (node.name as string)
}

function visit(node: Node, parent: Node | undefined, see: (node: Node, parent: Node | undefined) => void): void {
  see(node, parent)
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key.endsWith('Comments')) continue
    for (const child of Array.isArray(value) ? value : [value])
      if (child && typeof (child as Node).type === 'string') visit(child as Node, node, see)
  }
}
