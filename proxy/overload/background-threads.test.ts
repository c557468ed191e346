import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { lowerBackgroundThreads } from './background-threads.ts'

/** By thread: its name and its niceness. */
function threads(): { readonly name: string; readonly nice: number }[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1')
    const [name = '', rest = ''] = stat.slice(stat.indexOf('(') + 1).split(/\) (?=[A-Z] )/)
    return { name, nice: Number(rest.split(' ')[16]) }
  })
}

test.runIf(process.platform === 'linux')('V8 has threads of its own, and they alone give way', () => {
  const before = threads()
  lowerBackgroundThreads()
  const after = threads()
  const own = after.filter(({ name }) => name === 'node-V8Worker')
  expect(own.length).toBeGreaterThan(0)
  expect(own.every(({ nice }) => nice === 10)).toBe(true)
  const others = (all: typeof after) =>
    all.filter(({ name }) => name !== 'node-V8Worker').map(({ nice }) => nice)
  expect(Math.max(...others(after))).toBe(Math.max(...others(before)))
})
