import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'weft-folder-'))
})
afterEach(() => rmSync(base, { recursive: true }))

describe('makeFolder', () => {
  it('makes all that is missing, for its owner alone, and leaves what is there', () => {
    const folder = path.join(base, 'a', 'b', 'c')
    makeFolder(folder)
    makeFolder(folder)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it.each([
    ['is a file', 'file'],
    ['lies below a file', 'file/state'],
  ])('says what stands in the way of a folder that %s', (_what, name) => {
    writeFileSync(path.join(base, 'file'), '')
    expect(() => makeFolder(path.join(base, name))).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE', message: expect.stringContaining(name) }),
    )
  })

  it.runIf(process.platform === 'linux')('gives up where nothing can be made at all', () => {
    expect(() => makeFolder('/proc/weft/state')).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE' }),
    )
  })
})
