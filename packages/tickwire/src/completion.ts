/** `tickwire completion`: words for a shell's Tab, made from the tree of commands, so that there is none that does not exist. */
import { CommandError } from './ask.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A command as a shell needs it: `path` is what is typed before. */
export type Node = { path: readonly string[]; words: readonly Word[]; options: readonly Flag[] }
type Word = { name: string; about: string }
export type Flag = { names: readonly string[]; about: string; takes: 'nothing' | 'value' | 'file'; choices: readonly string[] }

export function completion(shell: string, nodes: readonly Node[]): void {
  const known = SHELLS.find((each) => each === shell)
  if (known === undefined)
    throw new CommandError(`there is no completion for ${JSON.stringify(shell)}: there is for ${SHELLS.join(', ')}`)
  process.stdout.write({ bash, zsh, fish }[known](nodes))
}

const flagsOf = ({ options }: Node): string[] => options.flatMap(({ names }) => names)
const keyOf = ({ path }: Node): string => path.join(' ')
/** Within single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Which command is typed is found by the words before the cursor; then its words and options are offered. */
export function bash(nodes: readonly Node[]): string {
  const paths = nodes.filter(({ path }) => path.length > 0).map((node) => `    ${quoted(keyOf(node))}) at="$next" ;;`)
  const offers = nodes.map((node) => {
    const words = [...node.words.map(({ name }) => name), ...flagsOf(node)].join(' ')
    return `    ${quoted(keyOf(node))}) words=${quoted(words)} ;;`
  })
  const values = nodes.flatMap((node) =>
    node.options.flatMap(({ names, takes, choices }) => {
      const offer = takes === 'file' ? 'files=1' : `words=${quoted(choices.join(' '))}`
      return takes === 'nothing' ? [] : names.map((name) => `    ${quoted(`${keyOf(node)} ${name}`)}) ${offer}; value=1 ;;`)
    })
  )
  return `# Words for Tab in bash: source <(tickwire completion bash)
_tickwire() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" at='' next='' words='' files='' value='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in
${paths.join('\n')}
    esac
  done
  # bash takes --name=value for three words.
  if [ "$current" = '=' ]; then current=''; elif [ "$before" = '=' ]; then before="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  case "$at $before" in
${values.join('\n')}
  esac
  if [ -z "$value" ]; then
    case "$at" in
${offers.join('\n')}
    esac
  fi
  if [ -z "$files" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); return; fi
  compopt -o filenames 2>/dev/null
  # Names of files may have blanks.
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _tickwire tickwire
`
}

/** `name:about`, where a colon of its own is escaped. */
const described = ({ name, about }: Word): string => quoted(`${name.replaceAll(':', '\\:')}:${about}`)

export function zsh(nodes: readonly Node[]): string {
  const paths = nodes.filter(({ path }) => path.length > 0).map((node) => `      ${quoted(keyOf(node))}) at="$next" ;;`)
  const offers = nodes.map((node) => {
    const flags = node.options.flatMap(({ names, about }) => names.map((name) => ({ name, about })))
    return `    ${quoted(keyOf(node))}) offered=(${[...node.words, ...flags].map(described).join(' ')}) ;;`
  })
  const values = nodes.flatMap((node) =>
    node.options.flatMap(({ names, takes, choices }) => {
      const offer = takes === 'file' ? '_files; return' : `compadd -- ${choices.map(quoted).join(' ')}; return`
      return takes === 'nothing' ? [] : names.map((name) => `    ${quoted(`${keyOf(node)} ${name}`)}) ${offer} ;;`)
    })
  )
  return `#compdef tickwire
# Words for Tab in zsh: source <(tickwire completion zsh)
_tickwire() {
  local at='' next='' word
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in
${paths.join('\n')}
    esac
  done
  local before="\${words[CURRENT-1]}"
  if [[ "\${words[CURRENT]}" == --*=* ]]; then
    before="\${words[CURRENT]%%=*}"
    compset -P '*='
  fi
  case "$at $before" in
${values.join('\n')}
  esac
  case "$at" in
${offers.join('\n')}
  esac
  _describe 'tickwire' offered
}
compdef _tickwire tickwire
`
}

export function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const where = `-n ${quoted(`test (__tickwire_at) = "${keyOf(node)}"`)}`
    const words = node.words.map(({ name, about }) => `complete -c tickwire -f ${where} -a ${quoted(name)} -d ${quoted(about)}`)
    const flags = node.options.map(({ names, about, takes, choices }) => {
      const spelled = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ')
      const value = takes === 'nothing' ? '' : takes === 'file' ? ' -rF' : ` -x -a ${quoted(choices.join(' '))}`
      return `complete -c tickwire ${where} ${spelled}${value} -d ${quoted(about)}`
    })
    return [...words, ...flags]
  })
  const paths = nodes.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `# Words for Tab in fish: tickwire completion fish | source
function __tickwire_at
  set -l at ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$at $word")
    contains -- "$next" ${paths.join(' ')}; and set at "$next"
  end
  echo "$at"
end
${lines.join('\n')}
`
}
