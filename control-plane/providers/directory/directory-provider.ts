/** A folder of YAML as the source of the mesh: read at start, watched, each file's last good content kept. */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Clock, Timer } from '../../../core/clock.ts'
import { WeftError } from '../../../core/errors.ts'
import type { Log } from '../../../core/log.ts'
import type { Change } from '../../model/objects.ts'
import { type ParsedObject, parseFile } from './parse-file.ts'

export type DirectoryProviderOptions = {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Called once with everything at start, then with what each change of a file changes. */
  readonly onChanges: (changes: readonly Change[]) => void
}

type File = {
  readonly text: string
  readonly objects: ReadonlyMap<string, ParsedObject>
  readonly broken: boolean
}

const configFile = /\.(?:ya?ml|json)$/
const rescanEveryMs = 2_000
const noObjects: ReadonlyMap<string, ParsedObject> = new Map()

export class DirectoryProvider {
  readonly #options: DirectoryProviderOptions
  readonly #files = new Map<string, File>()
  /** Which file an object came from: the first one that names it. */
  readonly #owners = new Map<string, string>()
  #watcher: FSWatcher | undefined
  #rescan: Timer | undefined
  #reading: Promise<void> = Promise.resolve()

  constructor(options: DirectoryProviderOptions) {
    this.#options = options
  }

  /** Reads everything, then watches. Throws FILE_UNREADABLE when the folder cannot be read. */
  async start(): Promise<void> {
    await this.#checkFolder()
    // Watching begins first, so that no write falls between the reading and the watching.
    this.#watch()
    const changes: Change[] = []
    for (const name of await this.#listFiles()) changes.push(...(await this.#read(name)))
    this.#options.onChanges(changes)
  }

  async stop(): Promise<void> {
    this.#rescan?.cancel()
    this.#watcher?.close()
    await this.#reading
  }

  /** Files whose newest content is refused. */
  get brokenFiles(): readonly string[] {
    return [...this.#files].filter(([, file]) => file.broken).map(([name]) => name)
  }

  async #checkFolder(): Promise<void> {
    const { folder } = this.#options
    try {
      if (!(await stat(folder)).isDirectory()) throw new Error('it is no folder')
    } catch (error) {
      throw new WeftError('FILE_UNREADABLE', `the configuration folder ${folder} cannot be read`, {
        cause: error,
      })
    }
  }

  #watch(): void {
    const { folder, log } = this.#options
    // Node's own watcher: chokidar never reports the second of two renames onto one file within 20 ms.
    const watcher = watch(folder, { recursive: true }, (_event, file) => {
      if (file !== null && configFile.test(file)) this.#enqueue(file)
    })
    this.#watcher = watcher
    watcher.on('error', (error) => log.error({ error }, 'the configuration folder cannot be watched'))
    this.#scheduleRescan()
  }

  /** Watchers miss things (network disks, links, events that overflow): every file is looked at now and then. */
  #scheduleRescan(): void {
    this.#rescan = this.#options.clock.after(rescanEveryMs, () => {
      this.#scheduleRescan()
      void this.#listFiles().then(
        (names) => {
          for (const name of new Set([...names, ...this.#files.keys()])) this.#enqueue(name)
        },
        (error: unknown) => this.#options.log.error({ error }, 'the configuration folder cannot be read'),
      )
    })
  }

  async #listFiles(): Promise<string[]> {
    const names = await readdir(this.#options.folder, { recursive: true })
    return names.filter((name) => configFile.test(name)).toSorted()
  }

  /** One file after the other, so that an older content never overtakes a newer one. */
  #enqueue(name: string): void {
    this.#reading = this.#reading.then(async () => {
      const changes = await this.#read(name)
      if (changes.length > 0) this.#options.onChanges(changes)
    })
  }

  async #read(name: string): Promise<readonly Change[]> {
    let text: string
    try {
      text = await readFile(path.join(this.#options.folder, name), 'utf8')
    } catch {
      // Gone, or not readable any more: for the mesh the same.
      return this.#replace(name, undefined)
    }
    const before = this.#files.get(name)
    if (before?.text === text) return []
    const { objects, problems, ignoredKinds } = parseFile(name, text)
    const { log } = this.#options
    for (const kind of ignoredKinds) log.debug({ file: name, kind }, 'a kind that the mesh does not read')
    if (problems.length > 0) {
      for (const { code, text: problem } of problems)
        log.error({ code, file: name, problem }, 'a file is refused; its last good content stays')
      this.#files.set(name, { text, objects: before?.objects ?? noObjects, broken: true })
      return []
    }
    if (before?.broken === true) log.info({ file: name }, 'a file that was refused is good again')
    return this.#replace(name, {
      text,
      objects: new Map(objects.map((object) => [object.identity, object])),
      broken: false,
    })
  }

  /** The difference between what a file held and what it holds now. */
  #replace(name: string, file: File | undefined): readonly Change[] {
    const before = this.#files.get(name)?.objects ?? noObjects
    if (file === undefined) this.#files.delete(name)
    else this.#files.set(name, file)
    const changes: Change[] = []
    for (const [identity, { change }] of before) {
      if (file?.objects.has(identity) === true || this.#owners.get(identity) !== name) continue
      this.#owners.delete(identity)
      if (change !== undefined) changes.push({ ...change, value: undefined })
    }
    for (const [identity, { change }] of file?.objects ?? noObjects) {
      const owner = this.#owners.get(identity)
      if (owner !== undefined && owner !== name) {
        this.#options.log.error(
          { code: 'RESOURCE_INVALID', file: name },
          `${identity} is already in ${owner}; that one counts`,
        )
        continue
      }
      this.#owners.set(identity, name)
      const same = JSON.stringify(before.get(identity)?.change) === JSON.stringify(change)
      if (change !== undefined && !same) changes.push(change)
    }
    return changes
  }
}
