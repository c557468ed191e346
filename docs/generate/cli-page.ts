/** Every command, its arguments and flags -> docs/cli.md, from the commands themselves. */
import type { Argument, Command, Option } from 'commander'
import { meshProcesses } from '../../cli/mesh-processes.ts'
import { makeProgram } from '../../cli/program.ts'
import { page, table } from './markdown.ts'

function argumentText(argument: Argument): string {
  const text = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${text}>` : `[${text}]`
}

function usageOf(command: Command, path: string): string {
  const flags = command.options.length > 0 ? ['[flags]'] : []
  return `\`weft ${[path, ...command.registeredArguments.map(argumentText), ...flags].join(' ')}\``
}

function defaultOf({ defaultValue, mandatory }: Option): string {
  if (mandatory && defaultValue === undefined) return 'required'
  const empty =
    defaultValue === undefined ||
    defaultValue === false ||
    (Array.isArray(defaultValue) && defaultValue.length === 0)
  return empty ? '' : `\`${String(defaultValue)}\``
}

function flagsOf(command: Command): string {
  const rows = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => [
      `\`${option.flags}\``,
      option.argChoices === undefined ? '' : option.argChoices.map((choice) => `\`${choice}\``).join(', '),
      defaultOf(option),
      option.description,
    ])
  return rows.length === 0 ? '' : table(['flag', 'values', 'default', 'what it does'], rows)
}

/** What a command says after its flags: its example, and its exit status. */
function epilogueOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  command.outputHelp()
  const example = /\nExample:\n((?: {2}.*\n?)+)/.exec(help)?.[1]
  const status = /\n(Exit status: .*)\n/.exec(help)?.[1]
  const code = example === undefined ? [] : [`\`\`\`sh\n${example.replaceAll(/^ {2}/gm, '').trim()}\n\`\`\``]
  return [...(status === undefined ? [] : [status]), ...code].join('\n\n')
}

function sections(command: Command, above: readonly string[]): readonly string[] {
  const path = [...above, command.name()]
  const own = [
    `## weft ${path.join(' ')}`,
    `${command.description()[0]?.toUpperCase() ?? ''}${command.description().slice(1)}.`,
    ...(command.commands.length > 0 ? [] : [usageOf(command, path.join(' '))]),
    flagsOf(command),
    epilogueOf(command),
  ].filter((part) => part !== '')
  return [own.join('\n\n'), ...command.commands.flatMap((sub) => sections(sub, path))]
}

export function cliPage(): string {
  const program = makeProgram(() => undefined)
  const commands = program.commands.filter((command) => !meshProcesses.has(command.name()))
  const processes = [...meshProcesses].map(([name, { description }]) => [`\`weft ${name}\``, description])
  return page(
    'Commands',
    'Commands that show a mesh find it by `--control-plane ADDRESS`, else by `--kubeconfig FILE`, else on this machine (`127.0.0.1:9990`, as the demo has it), else by `KUBECONFIG` or `~/.kube/config`. Tables fit the terminal (or `COLUMNS`, where that is set); `-o wide` cuts nothing, `-o json` and `-o yaml` are for programs. There are colours on a terminal only, and none with `NO_COLOR`. Exit status: 0, 1 when something is wrong, 2 for arguments that are not taken.',
    ...commands.flatMap((command) => sections(command, [])),
    `## Processes\n\nTheir settings are in [settings.md](reference/settings.md).\n\n${table(['command', 'what it is'], processes)}`,
  )
}
