/**
 * FIML's streaming endpoints by example: node examples/fiml-streaming.ts shows a menu of the programs beside it, and
 * node examples/fiml-streaming.ts portfolio --count 10 runs one at once. They need no library: any WebSocket will do.
 */
import { createInterface } from 'node:readline'
import { readArguments } from './fiml-connection.ts'

const EXAMPLES = {
  simple: 'Simple price stream',
  advanced: 'Advanced: several streams on one connection',
  reconnect: 'Auto-reconnection',
  portfolio: 'Portfolio monitoring',
  demo: 'Quick demo'
}
const names = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]
const { example, url } = readArguments(`usage: node examples/fiml-streaming.ts [${names.join(' | ')}]`, names)

/** Asks until an example is chosen; nothing when the user leaves instead. */
async function menu(): Promise<string | undefined> {
  console.log(`FIML streaming examples, at ${url}\n`)
  for (const [i, name] of names.entries()) console.log(`  ${i + 1}  ${EXAMPLES[name]}`)
  console.log('  q  Quit\n')
  const input = createInterface({ input: process.stdin, output: process.stdout, prompt: `Which one (1 to ${names.length})? ` })
  input.prompt()
  for await (const answer of input) {
    const text = answer.trim().toLowerCase()
    if (text === 'q') return undefined
    const chosen = names[Number(text) - 1] ?? names.find((name) => name === text)
    if (chosen) return chosen
    console.log(`"${answer}" is none of them.`)
    input.prompt()
  }
  return undefined
}

const chosen = example ?? (await menu())
// Nothing more is read: an input that stays open must not keep the program from ending.
process.stdin.destroy()
// Each reads the same options.
process.argv = process.argv.filter((argument) => argument !== example)
if (chosen !== undefined) await import(`./fiml-${chosen}.ts`)
