/** What is in a folder and the folders below it. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'

export type FolderTree = {
  /** Files of configuration, relative to the root, in order. */
  readonly files: readonly string[]
  /** Every folder, the root ('') first. */
  readonly folders: readonly string[]
  /** Folders below the root that cannot be looked into, and why. */
  readonly unreadable: ReadonlyMap<string, unknown>
}

/**
 * Whether a path names a file that is read. Hidden ones are not: editors keep copies in them, and a mounted ConfigMap
 * has every file a second time below `..data`.
 */
export function isConfigFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name) && !name.split(path.sep).some((part) => part.startsWith('.'))
}

/** Links to folders are not followed. Rejects when the root itself cannot be read. */
export async function listTree(root: string): Promise<FolderTree> {
  const tree = { files: [] as string[], folders: [''], unreadable: new Map<string, unknown>() }
  for (const folder of tree.folders) {
    let entries: readonly Dirent[]
    try {
      entries = await readdir(path.join(root, folder), { withFileTypes: true })
    } catch (error) {
      if (folder === '') throw error
      tree.unreadable.set(folder, error)
      continue
    }
    for (const entry of entries) {
      const name = path.join(folder, entry.name)
      if (entry.isDirectory() && !entry.name.startsWith('.')) tree.folders.push(name)
      else if (!entry.isDirectory() && isConfigFile(name)) tree.files.push(name)
    }
  }
  tree.files.sort()
  return tree
}
