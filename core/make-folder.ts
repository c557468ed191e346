/** Makes a folder and what is above it, for its owner alone. */
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { reasonOf, systemCodeOf, WeftError } from './errors.ts'

/** Does nothing when the folder is there. Throws STATE_FOLDER_UNUSABLE. */
export function makeFolder(folder: string): void {
  try {
    make(path.resolve(folder))
  } catch (error) {
    throw new WeftError('STATE_FOLDER_UNUSABLE', `cannot make ${folder}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Step by step: Node's own recursive form never comes back below a folder in which nothing can be made, as /proc. */
function make(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST' && statSync(folder).isDirectory()) return
    const parent = path.dirname(folder)
    if (systemCodeOf(error) !== 'ENOENT' || parent === folder || isFolder(parent)) throw error
    make(parent)
    mkdirSync(folder, { mode: 0o700 })
  }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
}
