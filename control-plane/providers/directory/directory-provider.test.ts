import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { createLog } from '../../../core/log.ts'
import { ManualClock } from '../../../core/manual-clock.ts'
import type { Change } from '../../model/objects.ts'
import { DirectoryProvider } from './directory-provider.ts'
import { goneRestMs } from './settling.ts'

let folder: string
let provider: DirectoryProvider
let lines: string[]
/** The services of the mesh, as the changes so far make them. */
let services: Map<string, readonly number[]>
/** How the services looked after each call, for what must not be seen in between. */
let history: string[]

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-provider-'))
  lines = []
  services = new Map()
  history = []
  follow(systemClock)
})
afterEach(async () => {
  await provider.stop()
  rmSync(folder, { recursive: true, force: true })
})

function follow(clock: Clock): void {
  const destination = { write: (line: string) => void lines.push(line) }
  const onChanges = (changes: readonly Change[]): void => {
    for (const change of changes) {
      if (change.kind !== 'service') continue
      if (change.value === undefined) services.delete(change.key)
      else
        services.set(
          change.key,
          change.value.ports.map(({ port }) => port),
        )
    }
    history.push(seen())
  }
  const log = createLog({ process: 'test', level: 'info', destination })
  provider = new DirectoryProvider({ folder, clock, log, onChanges })
}

const seen = (): string =>
  [...services]
    .map(([key, ports]) => `${key}:${ports.join('+')}`)
    .toSorted()
    .join(' ')

const service = (name: string, port: number): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {ports: [{port: ${port}}]}\n`

const fileOf = (name: string): string => path.join(folder, name)
const write = (name: string, text: string): void => writeFileSync(fileOf(name), text)
const becomes = (text: string) => expect.poll(seen).toBe(text)
const codes = (): unknown[] =>
  lines.map((line) => (JSON.parse(line) as { code?: string }).code).filter((code) => code !== undefined)

describe('a folder of YAML', () => {
  it('is read as a whole at the start, folders in it included', async () => {
    write('a.yaml', service('a', 1))
    mkdirSync(fileOf('more'))
    write('more/b.yml', service('b', 2))
    write('more/notes.txt', service('c', 3))
    await provider.start()
    expect(history).toEqual(['shop/a:1 shop/b:2'])
  })

  it('is followed: files that come, change and go', async () => {
    await provider.start()
    write('a.yaml', service('a', 1))
    await becomes('shop/a:1')
    writeFileSync(fileOf('new'), service('a', 2))
    renameSync(fileOf('new'), fileOf('a.yaml'))
    await becomes('shop/a:2')
    rmSync(fileOf('a.yaml'))
    await becomes('')
  })

  it('is followed into folders that are made later, and through links that lead elsewhere, as in a ConfigMap', async () => {
    for (const version of ['1', '2']) {
      mkdirSync(fileOf(`..${version}`))
      write(`..${version}/a.yaml`, service('a', Number(version)))
    }
    symlinkSync('..1', fileOf('..data'))
    symlinkSync('..data/a.yaml', fileOf('a.yaml'))
    await provider.start()
    expect(seen()).toBe('shop/a:1')
    symlinkSync('..2', fileOf('..new'))
    renameSync(fileOf('..new'), fileOf('..data'))
    mkdirSync(fileOf('later'))
    write('later/b.yaml', service('b', 3))
    await becomes('shop/a:2 shop/b:3')
    expect(codes()).toEqual([])
  })

  it('loses nothing when a file gets another name, or what is in it another file', async () => {
    write('b.yaml', service('a', 1))
    await provider.start()
    for (const [from, to] of [
      ['b.yaml', 'a.yaml'],
      ['a.yaml', 'c.yaml'],
    ] as const) {
      renameSync(fileOf(from), fileOf(to))
      await expect.poll(() => lines.some((line) => line.includes(`"file":"${to}"`))).toBe(true)
      await expect.poll(() => lines.at(-1)).toContain('is taken from here now')
    }
    write('d.yaml', service('a', 2))
    await expect.poll(() => lines.at(-1)).toContain('is already in c.yaml')
    rmSync(fileOf('c.yaml'))
    await becomes('shop/a:2')
    expect(history).toEqual(['shop/a:1', 'shop/a:2'])
  })

  it('goes on after a file whose aliases lead nowhere', async () => {
    await provider.start()
    write('a.yaml', 'kind: *what\n')
    await expect.poll(codes).toEqual(['YAML_INVALID'])
    write('b.yaml', service('b', 1))
    await becomes('shop/b:1')
  })

  it('keeps everything while it is away as a whole, and says so once', async () => {
    write('a.yaml', service('a', 1))
    await provider.start()
    rmSync(folder, { recursive: true })
    await expect.poll(codes, { timeout: 10_000 }).toEqual(['FILE_UNREADABLE'])
    mkdirSync(folder)
    write('a.yaml', service('a', 2))
    await becomes('shop/a:2')
    expect(history).toEqual(['shop/a:1', 'shop/a:2'])
  })

  it('that is not there says so', async () => {
    rmSync(folder, { recursive: true })
    await expect(provider.start()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})

describe('a file that is written in steps', () => {
  it('counts when it is whole, not while it is cut short', async () => {
    write('a.yaml', `${service('a', 1)}---\n${service('b', 1)}`)
    await provider.start()
    write('a.yaml', '')
    write('a.yaml', service('a', 2))
    appendFileSync(fileOf('a.yaml'), `---\n${service('b', 2)}`)
    await becomes('shop/a:2 shop/b:2')
    expect(history).toEqual(['shop/a:1 shop/b:1', 'shop/a:2 shop/b:2'])
  })

  it('is not taken away by an editor that puts it aside before it writes the next one', async () => {
    const clock = new ManualClock()
    follow(clock)
    write('a.yaml', service('a', 1))
    await provider.start()
    renameSync(fileOf('a.yaml'), fileOf('a.yaml~'))
    // Those of the folder, now and then and soon, and that of the file that is gone.
    await expect.poll(() => clock.pending).toBe(3)
    clock.advance(goneRestMs - 1)
    write('a.yaml', service('a', 2))
    await expect.poll(() => (clock.advance(10), seen())).toBe('shop/a:2')
    expect(history).toEqual(['shop/a:1', 'shop/a:2'])
  })
})

describe('what is broken', () => {
  it('keeps its last good content, is said once with its code, and again when it is good', async () => {
    write('a.yaml', service('a', 1))
    await provider.start()
    write('a.yaml', 'kind: [')
    await expect.poll(codes).toEqual(['YAML_INVALID'])
    expect(provider.refused).toEqual([
      { object: 'a.yaml', problems: [expect.stringMatching(/^a\.yaml:1:\d+ /)] },
    ])
    expect(seen()).toBe('shop/a:1')
    write('a.yaml', service('a', 2))
    await becomes('shop/a:2')
    expect(lines.at(-1)).toContain('is good again')
    expect(provider.refused).toEqual([])
  })

  it('may be unreadable: not the same as gone', async () => {
    write('a.yaml', service('a', 1))
    await provider.start()
    // A link to itself cannot be read by anybody, root included.
    rmSync(fileOf('a.yaml'))
    symlinkSync('a.yaml', fileOf('a.yaml'))
    await expect.poll(codes).toEqual(['FILE_UNREADABLE'])
    expect(seen()).toBe('shop/a:1')
    rmSync(fileOf('a.yaml'))
    write('a.yaml', service('a', 1))
    await expect.poll(() => provider.refused).toEqual([])
    expect(new Set(history)).toEqual(new Set(['shop/a:1']))
  })

  it('by naming an object that another file has: that one counts, and which it is is said', async () => {
    write('a.yaml', service('a', 1))
    write('b.yaml', service('a', 2))
    await provider.start()
    expect(seen()).toBe('shop/a:1')
    expect(lines.at(-1)).toMatch(/RESOURCE_INVALID.*already in a\.yaml/)
  })
})
