import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StateFolder } from './state-folder.ts'

describe('StateFolder', () => {
  let parent: string
  beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), 'weft-state-'))))
  afterEach(() => rmSync(parent, { recursive: true }))

  it('makes the folder and keeps private files for their owner alone', () => {
    const folder = new StateFolder(join(parent, 'a', 'b'))
    folder.createPrivate('key.pem', 'secret')
    expect(statSync(folder.fileOf('key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    expect(folder.readPrivate('key.pem')).toBe('secret')
    expect(readdirSync(folder.path)).toEqual(['key.pem'])
  })

  it('keeps what was there first, as when two processes start at once', () => {
    const folder = new StateFolder(parent)
    expect(folder.createPrivate('key.pem', 'first')).toBe('first')
    expect(folder.createPrivate('key.pem', 'second')).toBe('first')
    expect(readdirSync(parent)).toEqual(['key.pem'])
  })

  it('refuses a private key that every user may read, and does not touch it', () => {
    const folder = new StateFolder(parent)
    folder.createPrivate('key.pem', 'secret')
    chmodSync(folder.fileOf('key.pem'), 0o644)
    expect(() => folder.readPrivate('key.pem')).toThrow(
      expect.objectContaining({ code: 'STATE_FILE_EXPOSED', message: expect.stringContaining('0644') }),
    )
    expect(statSync(folder.fileOf('key.pem')).mode & 0o777).toBe(0o644)
  })

  it('says what is wrong when the folder cannot be one', () => {
    writeFileSync(join(parent, 'file'), '')
    expect(() => new StateFolder(join(parent, 'file'))).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE' }),
    )
  })

  it('gives undefined for a file that is not there', () => {
    expect(new StateFolder(parent).read('none')).toBeUndefined()
  })
})
