/** `weft completion`: what a shell needs to complete commands and flags. Made from the commands themselves. Pure. */
import type { Command } from 'commander'
import { WeftError } from '../core/errors.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Throws CONFIG_INVALID. */
export function shellOf(text: string): Shell {
  const shell = shells.find((one) => one === text)
  if (shell === undefined) throw new WeftError('CONFIG_INVALID', `'${text}' is none of ${shells.join(', ')}`)
  return shell
}

type Entry = {
  /** `split set`. */
  readonly path: string
  readonly description: string
  /** Commands below it. */
  readonly commands: readonly string[]
  readonly flags: readonly string[]
}

function entriesOf(command: Command, path: readonly string[] = []): readonly Entry[] {
  const own: Entry = {
    path: path.join(' '),
    description: command.description(),
    commands: command.commands.map((sub) => sub.name()),
    flags: [...command.options.flatMap(({ long }) => (long === undefined ? [] : [long])), '--help'],
  }
  return [own, ...command.commands.flatMap((sub) => entriesOf(sub, [...path, sub.name()]))]
}

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(
    ({ path, commands, flags }) => `    '${path}') words='${[...commands, ...flags].join(' ')}' ;;`,
  )
  const groups = entries.filter(({ commands }) => commands.length > 0).map(({ path }) => `'${path}'`)
  return `# bash completion of weft: source <(weft completion bash)
_weft() {
  local at='' words='' i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ $word == -* ]] && continue
    case "$at" in
    ${groups.join(' | ')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  [[ \${COMP_WORDS[COMP_CWORD]} == -* ]] || words=$(for word in $words; do [[ $word == -* ]] || echo "$word"; done)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _weft weft
`
}

/** zsh takes bash's. */
function zsh(entries: readonly Entry[]): string {
  return `#compdef weft
# zsh completion of weft: source <(weft completion zsh)
autoload -Uz bashcompinit && bashcompinit
${bash(entries)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function fish(entries: readonly Entry[]): string {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  const lines = entries.flatMap(({ path, commands, flags }) => {
    const seen = path
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
    const condition =
      seen.length === 0
        ? '__fish_use_subcommand'
        : [
            ...seen,
            ...(commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(' ')}`]),
          ].join('; and ')
    const below = commands.map((name) => {
      const { description = '' } = byPath.get(path === '' ? name : `${path} ${name}`) ?? {}
      return `complete -c weft -f -n ${quoted(condition)} -a ${name} -d ${quoted(description)}`
    })
    const options = flags.map(
      (flag) => `complete -c weft -n ${quoted(condition)} -l ${flag.replace(/^--/, '')}`,
    )
    return [...below, ...options]
  })
  return `# fish completion of weft: weft completion fish | source\n${lines.join('\n')}\n`
}

export function completionScript(shell: Shell, program: Command): string {
  const entries = entriesOf(program)
  switch (shell) {
    case 'bash':
      return bash(entries)
    case 'zsh':
      return zsh(entries)
    case 'fish':
      return fish(entries)
  }
}
