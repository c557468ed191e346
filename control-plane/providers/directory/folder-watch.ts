/**
 * Watches a folder and those below it, each by itself: Node's recursive watcher throws where nobody can catch it at a
 * link that leads to itself, and chokidar never reports the second of two renames onto one file within 20 ms.
 */
import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'

export class FolderWatch {
  readonly #root: string
  readonly #onChange: (name: string) => void
  readonly #onError: (error: unknown) => void
  readonly #watchers = new Map<string, FSWatcher>()

  /** `onChange` gets the path of what changed, relative to the root; `onError` gets why some folder is not watched. */
  constructor(root: string, onChange: (name: string) => void, onError: (error: unknown) => void) {
    this.#root = root
    this.#onChange = onChange
    this.#onError = onError
  }

  /** Watches exactly these folders from now on. */
  update(folders: readonly string[]): void {
    const wanted = new Set(folders)
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#drop(folder)
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#drop(folder)
  }

  #add(folder: string): void {
    try {
      const watcher = watch(path.join(this.#root, folder), (_event, name) => {
        if (name !== null) this.#onChange(path.join(folder, name))
      })
      this.#watchers.set(folder, watcher)
      watcher.on('error', (error) => {
        this.#drop(folder)
        this.#onError(error)
      })
    } catch (error) {
      this.#onError(error)
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}
