import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { discardable, keepGivingBackPages, type Mapping } from './unused-pages.ts'

const smaps = `00400000-0082e000 r--p 00000000 fe:00 42                                 /usr/local/bin/node
Rss:                4288 kB
Anonymous:             0 kB
VmFlags: rd mr mw me sd
0082e000-03489000 r-xp 0042e000 fe:00 42                                 /usr/local/bin/node
Rss:               31000 kB
Anonymous:             0 kB
072a7000-072dc000 r--p 06ea7000 fe:00 42                                 /usr/local/bin/node
Rss:                 212 kB
Anonymous:           212 kB
072dc000-07308000 rw-p 06edc000 fe:00 42                                 /usr/local/bin/node
Rss:                 176 kB
Anonymous:             0 kB
07308000-0735a000 rw-p 00000000 00:00 0
Rss:                 100 kB
Anonymous:           100 kB
0a000000-0b000000 rw-p 00000000 00:00 0                                  [heap]
Anonymous:         10000 kB
7f0000000000-7f0000001000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
`

test('pages of files may be discarded where nobody writes and nobody has written', () => {
  expect(discardable(smaps)).toEqual([
    { from: 0x40_0000, bytes: 0x42_e000 },
    { from: 0x82_e000, bytes: 0x2c5_b000 },
  ])
})

test.runIf(process.platform === 'linux')('it is done after the start, and then every 10 seconds', () => {
  const clock = new ManualClock()
  const discarded: Mapping[] = []
  let trims = 0
  keepGivingBackPages(clock, () => ({
    discard: (mapping) => void discarded.push(mapping),
    trim: () => void trims++,
  }))
  clock.advance(4_999)
  expect(trims).toBe(0)
  clock.advance(1)
  expect(trims).toBe(1)
  expect(discarded.length).toBeGreaterThan(1)
  clock.advance(30_000)
  expect(trims).toBe(4)
})

test.runIf(process.platform === 'linux')('a process has fewer resident pages of files, and goes on', () => {
  const script = `
    import { readFileSync } from 'node:fs'
    import tls from 'node:tls'
    import { ManualClock } from ${JSON.stringify(path.join(import.meta.dirname, '../../core/manual-clock.ts'))}
    import { keepGivingBackPages } from ${JSON.stringify(path.join(import.meta.dirname, 'unused-pages.ts'))}
    const fileKb = () => Number(/^RssFile:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    const clock = new ManualClock()
    keepGivingBackPages(clock)
    const before = fileKb()
    clock.advance(5_000)
    const after = fileKb()
    tls.createSecureContext()
    console.log(JSON.stringify({ before, after, works: new Intl.NumberFormat('en').format(1e6) }))
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const { before, after, works } = JSON.parse(output) as { before: number; after: number; works: string }
  expect(after).toBeLessThan(before / 2)
  expect(works).toBe('1,000,000')
})
