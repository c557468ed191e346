import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { WeftError } from '../core/errors.ts'
import { makeProgram, runCommand } from './program.ts'

type Named = { readonly name: string; readonly command: Command }

/** All commands but the processes, whose help their own main prints; those below others have both names. */
function all(command: Command, name: string): readonly Named[] {
  const below = command.commands.flatMap((inner) => all(inner, `${name} ${inner.name()}`))
  return [{ name, command }, ...below]
}

const processes = ['proxy', 'control-plane', 'injector', 'await', 'init']
const commands = makeProgram(() => undefined)
  .commands.flatMap((command) => all(command, `weft ${command.name()}`))
  .filter(({ name }) => !processes.includes(name.slice('weft '.length)))

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (piece) => (text += piece) })
  command.outputHelp()
  return text
}

describe.each(commands)('$name --help', ({ name, command }) => {
  it('says what it does, and has an example of itself', () => {
    expect(command.description()).not.toBe('')
    const example = /\nExamples?:\n(?: {2}.*\n?)+/.exec(helpOf(command))?.[0] ?? ''
    expect(example).toContain(name)
  })

  it('explains every argument and option', () => {
    for (const argument of command.registeredArguments)
      expect(argument.description, argument.name()).not.toBe('')
    for (const option of command.options)
      if (!option.hidden)
        expect(option.description + (option.argChoices?.join() ?? ''), option.flags).not.toBe('')
  })
})

it('every command that shows a mesh can be told where it is', () => {
  const shows = 'check config dashboard diagnose edges identity policy routes stat tap top version'.split(' ')
  for (const name of shows) {
    const flags = commands.find((one) => one.name === `weft ${name}`)?.command.options.map(({ long }) => long)
    expect(flags, name).toEqual(expect.arrayContaining(['--control-plane', '--kubeconfig']))
  }
})

it.each([
  [['help', 'nope'], "CONFIG_INVALID unknown command 'nope'; weft --help lists all"],
  [['nope'], "CONFIG_INVALID unknown command 'nope'"],
  [['stat', '-o', 'xml'], "CONFIG_INVALID option '-o, --output <form>' argument 'xml' is invalid"],
  [['stat', 'webx'], "CONFIG_INVALID 'webx' is no kind; try deploy/webx, or svc/webx"],
  [['stat', '--control-plane', 'here'], "CONFIG_INVALID --control-plane: 'here' is not like 127.0.0.1:9990"],
  [['check', '--pre', '--control-plane', ':9990'], 'CONFIG_INVALID --pre looks at a cluster'],
  [['tap', '--kubeconfig', '/nowhere'], 'CONFIG_INVALID the kubeconfig is not usable'],
  [['dashboard', '--port', '99999'], "CONFIG_INVALID --port: '99999' is no port"],
  [['inject', 'x.yaml', '--trust-bundle', import.meta.filename], 'CERTIFICATE_INVALID'],
  [
    ['routes', '--control-plane', '127.0.0.1:1'],
    'CONTROL_PLANE_UNREACHABLE the control plane at 127.0.0.1:1: ',
  ],
  [
    ['stat', '--control-plane', '127.0.0.1:1'],
    'CONTROL_PLANE_UNREACHABLE the control plane at 127.0.0.1:1: ',
  ],
])('weft %j fails with its code and what is wrong', async (args, said) => {
  const failure: unknown = await runCommand(args).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(WeftError)
  const { code, message } = failure as WeftError
  expect(`${code} ${message}`).toContain(said)
  // Why, and not that something was not fetched.
  expect(message).not.toContain('fetch failed')
})
