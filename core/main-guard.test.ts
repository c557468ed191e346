import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WeftError } from './errors.ts'
import { runMain } from './main-guard.ts'

it('turns an error of main into one line and the exit status of its code', async () => {
  const lines: string[] = []
  const statuses: number[] = []
  const edge = {
    writeLine: (line: string) => void lines.push(line),
    exit: (status: number) => void statuses.push(status),
  }
  await runMain(() => Promise.reject(new WeftError('CONFIG_INVALID', 'wrong')), edge)
  await runMain(() => Promise.resolve(), edge)
  expect(lines).toEqual([expect.stringMatching(/^weft: CONFIG_INVALID: wrong \(.+\)$/)])
  expect(statuses).toEqual([2])
})

it('logs what nobody caught, rejections included, and exits 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-guard-'))
  try {
    const file = join(folder, 'main.ts')
    writeFileSync(
      file,
      `import { exitOnUncaught } from '${join(import.meta.dirname, 'main-guard.ts')}'
       import { createLog } from '${join(import.meta.dirname, 'log.ts')}'
       exitOnUncaught(createLog({ process: 'test', level: 'info' }))
       setInterval(() => {}, 1000)
       void Promise.reject(new Error('forgotten'))`,
    )
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (part) => (out += part))
    child.stderr.on('data', (part) => (err += part))
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect(status).toBe(1)
    expect(err).toMatch(/^weft: INTERNAL: forgotten/)
    expect(JSON.parse(out)).toMatchObject({ level: 'fatal', error: { message: 'forgotten' } })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
