import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { completionScript, shellOf } from './completion.ts'
import { makeProgram } from './program.ts'

const program = makeProgram(() => undefined)

/** What bash offers when Tab is pressed at the end of `words`. */
function complete(...words: readonly string[]): readonly string[] {
  const script = `${completionScript('bash', program)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_weft
printf '%s\\n' "\${COMPREPLY[@]}"`
  const text = execFileSync('bash', ['-c', script], { encoding: 'utf8' })
  return text.split('\n').filter((line) => line !== '')
}

it('bash completes commands, commands below them, and flags', () => {
  expect(complete('weft', 'dia')).toEqual(['diagnose'])
  expect(complete('weft', 'split', '')).toEqual(['show', 'set', 'watch'])
  expect(complete('weft', 'split', 'set', '--co')).toEqual(['--config'])
  expect(complete('weft', 'check', 'x', '--pr')).toEqual(['--pre', '--proxy'])
})

it('fish and zsh are given every command', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, program)
    for (const command of program.commands) expect(script).toContain(command.name())
  }
})

it('another shell is refused', () => {
  expect(() => shellOf('csh')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
