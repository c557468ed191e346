/** The control plane's state folder: whole files or none, private keys for their owner alone. */
import {
  linkSync,
  openSync,
  closeSync,
  fsyncSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { WeftError, reasonOf, systemCodeOf } from '../../core/errors.ts'
import { makeFolder } from '../../core/make-folder.ts'

const PRIVATE_MODE = 0o600
const PUBLIC_MODE = 0o644
const READABLE_BY_OTHERS = 0o007

export class StateFolder {
  readonly path: string

  /** Makes the folder (0700) if it is not there. Throws STATE_FOLDER_UNUSABLE. */
  constructor(path: string) {
    this.path = path
    makeFolder(path)
  }

  /** The path of a file in the folder. */
  fileOf(name: string): string {
    return join(this.path, name)
  }

  /** The content of a file, or undefined if there is none. Throws STATE_FOLDER_UNUSABLE. */
  read(name: string): string | undefined {
    const file = this.fileOf(name)
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined
      throw new WeftError('STATE_FOLDER_UNUSABLE', `cannot read ${file}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }

  /** As `read`, for a private key: throws STATE_FILE_EXPOSED if every user may read it. */
  readPrivate(name: string): string | undefined {
    const content = this.read(name)
    if (content === undefined) return undefined
    const file = this.fileOf(name)
    const mode = statSync(file).mode & 0o777
    if ((mode & READABLE_BY_OTHERS) !== 0) {
      throw new WeftError('STATE_FILE_EXPOSED', `${file} has mode ${mode.toString(8).padStart(4, '0')}`)
    }
    return content
  }

  /** Keeps a new file readable by all. As `createPrivate`. */
  createPublic(name: string, content: string): string {
    return this.#create(name, content, PUBLIC_MODE)
  }

  /**
   * Keeps a new file for its owner alone, whole or not at all. If another process made the file meanwhile, its
   * content stays and is given back, so that both go on with the same.
   */
  createPrivate(name: string, content: string): string {
    return this.#create(name, content, PRIVATE_MODE)
  }

  /** Puts new content in the place of what was there, for its owner alone. Throws STATE_FOLDER_UNUSABLE. */
  replacePrivate(name: string, content: string): void {
    this.#write(name, content, PRIVATE_MODE, renameSync)
  }

  /** As `replacePrivate`, readable by all. */
  replacePublic(name: string, content: string): void {
    this.#write(name, content, PUBLIC_MODE, renameSync)
  }

  /** Takes a file away, if it is there. */
  remove(name: string): void {
    removeFile(this.fileOf(name))
  }

  #create(name: string, content: string, mode: number): string {
    // Unlike rename, link refuses to replace a file that is already there.
    return this.#write(name, content, mode, linkSync) ? content : (this.read(name) ?? content)
  }

  /** False: the file is there already, and `place` does not replace it. */
  #write(name: string, content: string, mode: number, place: (draft: string, file: string) => void): boolean {
    const file = this.fileOf(name)
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    try {
      const handle = openSync(draft, 'wx', mode)
      try {
        writeSync(handle, content)
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
      place(draft, file)
      return true
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') return false
      throw new WeftError('STATE_FOLDER_UNUSABLE', `cannot write ${file}: ${reasonOf(error)}`, {
        cause: error,
      })
    } finally {
      removeFile(draft)
    }
  }
}

function removeFile(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    // A draft was renamed, or could not be made in the first place, which is reported already.
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
}
