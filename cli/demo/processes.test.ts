import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Processes } from './processes.ts'

let folder: string
let processes: Processes
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-processes-'))
  processes = new Processes(folder)
})
afterEach(async () => {
  await processes.stopAll()
  rmSync(folder, { recursive: true })
})

function script(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

const watchParent = path.join(import.meta.dirname, '../../core/exit-with-parent.ts')
const waiting = `import { exitWithParent } from ${JSON.stringify(watchParent)}
exitWithParent(process.env)
console.log('pid ' + process.pid)
setInterval(() => undefined, 1000)`

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // ESRCH: there is no such process
  }
}

test('what a process writes is in the log named after it', async () => {
  processes.start('one', script('one.mjs', "console.log('out'); console.error('err')"), [])
  await expect.poll(() => readFileSync(path.join(folder, 'one.log'), 'utf8')).toBe('out\nerr\n')
})

test('a process that ends by itself is told of, with its status and its log', async () => {
  const told: string[] = []
  processes.onFallen = (text) => void told.push(text)
  processes.start('one', script('one.mjs', 'process.exit(3)'), [])
  await expect.poll(() => processes.fallen('one')).toContain('status 3')
  expect(processes.fallen('one')).toContain('one.log')
  processes.start('one', script('two.mjs', waiting), [])
  expect(processes.fallen('one')).toBeUndefined()
  expect(processes.allFallen).toEqual(told)
  expect(told).toHaveLength(1)
})

test('a second process of the same name is refused: the first one would be left behind', async () => {
  const file = script('one.mjs', waiting)
  processes.start('one', file, [])
  expect(() => processes.start('one', file, [])).toThrow('one runs already')
  const [pid = 0] = processes.pids
  await processes.stopAll()
  expect(isRunning(pid)).toBe(false)
})

test('a process that was stopped is no news', async () => {
  processes.start('one', script('one.mjs', waiting), [])
  await processes.stop('one')
  expect(processes.fallen('one')).toBeUndefined()
  expect(processes.names).toEqual([])
})

test("neither the user's proxies nor settings of another mesh reach the processes", async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128')
  vi.stubEnv('WEFT_STATE', '/elsewhere')
  processes.start(
    'one',
    script('one.mjs', 'console.log(process.env.HTTPS_PROXY, process.env.WEFT_STATE, process.env.http_proxy)'),
    [],
    { http_proxy: 'http://127.0.0.1:4140' },
  )
  vi.unstubAllEnvs()
  await expect
    .poll(() => readFileSync(path.join(folder, 'one.log'), 'utf8'))
    .toBe('undefined undefined http://127.0.0.1:4140\n')
})

test('the processes end when the one that started them is killed', async () => {
  const child = script('child.mjs', waiting)
  const parent = script(
    'parent.mjs',
    `import { Processes } from ${JSON.stringify(path.join(import.meta.dirname, 'processes.ts'))}
new Processes(${JSON.stringify(folder)}).start('child', ${JSON.stringify(child)}, [])`,
  )
  const killed = spawn(process.execPath, [parent], { stdio: 'ignore' })
  const log = path.join(folder, 'child.log')
  const pid = await vi.waitFor(
    () => Number(/^pid (\d+)\n/.exec(readFileSync(log, 'utf8'))?.[1] ?? expect.fail('not started')),
    { timeout: 15_000 },
  )
  killed.kill('SIGKILL')
  await expect.poll(() => isRunning(pid)).toBe(false)
})
