/** A folder of YAML as the source of the mesh: read at start, watched, each file's last good content kept. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Clock, Timer } from '../../../core/clock.ts'
import { type ErrorCode, reasonOf, systemCodeOf, WeftError } from '../../../core/errors.ts'
import type { Log } from '../../../core/log.ts'
import { OutageLog } from '../../../core/outage-log.ts'
import type { Finding } from '../../model/finding.ts'
import type { Change } from '../../model/objects.ts'
import type { Provider, Refused } from '../provider.ts'
import { type FolderTree, isConfigFile, listTree } from './folder-tree.ts'
import { FolderWatch } from './folder-watch.ts'
import { type ParsedObject, parseFile } from './parse-file.ts'
import { gone, Settling } from './settling.ts'

export type DirectoryProviderOptions = {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Called once with everything at start, then with what each change of a file changes. */
  readonly onChanges: (changes: readonly Change[]) => void
}

type File = {
  /** Of the file on disk when it was read. */
  readonly state: string
  /** undefined: it cannot be read. */
  readonly text: string | undefined
  readonly objects: ReadonlyMap<string, ParsedObject>
  /** Why its newest content is refused; empty: it is not. */
  readonly problems: readonly string[]
}

/** Watchers miss things (network disks, links, events that overflow): every file is looked at now and then. */
const rescanEveryMs = 2_000
/** Something that is no file of ours changed: perhaps a folder, or what links lead to. */
const rescanSoonMs = 20
const noObjects: ReadonlyMap<string, ParsedObject> = new Map()

export class DirectoryProvider implements Provider {
  readonly #options: DirectoryProviderOptions
  readonly #files = new Map<string, File>()
  /** Which file an object came from: the first one that names it. */
  readonly #owners = new Map<string, string>()
  readonly #settling = new Settling()
  readonly #looks = new Map<string, Timer>()
  readonly #outages: OutageLog
  readonly #watch: FolderWatch
  #rescan: Timer | undefined
  #rescanSoon: Timer | undefined
  #reading: Promise<void> = Promise.resolve()

  constructor(options: DirectoryProviderOptions) {
    this.#options = options
    this.#outages = new OutageLog(options.log)
    this.#watch = new FolderWatch(
      options.folder,
      (name) => this.#changed(name),
      (error) => this.#outages.failed('watch', unreadable(error)),
    )
  }

  /** Reads everything, then follows it. Throws FILE_UNREADABLE when the folder cannot be read. */
  async start(): Promise<void> {
    const { clock, onChanges } = this.#options
    // Watching begins first, so that no write falls between the reading and the watching.
    this.#watch.update((await this.#list()).folders)
    const changes: Change[] = []
    for (const name of (await this.#list()).files)
      changes.push(...(await this.#read(name, await this.#stateOf(name))))
    onChanges(changes)
    this.#rescan = clock.after(rescanEveryMs, () => this.#rescanAgain())
  }

  async stop(): Promise<void> {
    this.#rescan?.cancel()
    this.#rescanSoon?.cancel()
    for (const look of this.#looks.values()) look.cancel()
    this.#watch.close()
    await this.#reading
  }

  /** Files whose newest content is refused. */
  get refused(): readonly Refused[] {
    return [...this.#files]
      .filter(([, { problems }]) => problems.length > 0)
      .map(([object, { problems }]) => ({ object, problems }))
  }

  /** Objects that a file names and another one gives. */
  get findings(): readonly Finding[] {
    return [...this.#files].flatMap(([name, { objects }]) =>
      [...objects.keys()]
        .filter((identity) => this.#owners.get(identity) !== name)
        .map((object) => ({
          code: 'OBJECT_TWICE',
          object,
          message: `it is in ${name} and in ${this.#owners.get(object)}, which counts`,
        })),
    )
  }

  /** Nothing is waited for: what cannot be read ends the start. */
  get missing(): readonly string[] {
    return []
  }

  async #list(): Promise<FolderTree> {
    const { folder } = this.#options
    try {
      return await listTree(folder)
    } catch (error) {
      const reason = `the configuration folder ${folder} cannot be read: ${reasonOf(error)}`
      throw new WeftError('FILE_UNREADABLE', reason, { cause: error })
    }
  }

  #changed(name: string): void {
    if (isConfigFile(name)) this.#enqueue(name)
    else this.#rescanSoon ??= this.#options.clock.after(rescanSoonMs, () => void this.#scan())
  }

  #rescanAgain(): void {
    this.#rescan = this.#options.clock.after(rescanEveryMs, () => this.#rescanAgain())
    void this.#scan()
  }

  async #scan(): Promise<void> {
    this.#rescanSoon = undefined
    try {
      const { files, folders, unreadable: closed } = await this.#list()
      this.#watch.update(folders)
      for (const name of new Set([...files, ...this.#files.keys()])) this.#enqueue(name)
      for (const error of closed.values()) this.#outages.failed('folder', unreadable(error))
      if (closed.size === 0) this.#outages.over('folder')
    } catch (error) {
      // What comes back is another folder, and has to be watched anew.
      this.#watch.close()
      this.#outages.failed('folder', error)
    }
  }

  /** One file after the other, so that an older content never overtakes a newer one. */
  #enqueue(name: string): void {
    this.#looks.get(name)?.cancel()
    this.#looks.delete(name)
    this.#reading = this.#reading.then(() => this.#look(name))
  }

  async #look(name: string): Promise<void> {
    const state = await this.#stateOf(name)
    if (state === (this.#files.get(name)?.state ?? gone)) {
      this.#settling.forget(name)
      return
    }
    const { clock, onChanges } = this.#options
    const waitMs = this.#settling.look(name, state, clock.monotonicMs())
    if (waitMs > 0) {
      this.#looks.set(
        name,
        clock.after(waitMs, () => this.#enqueue(name)),
      )
      return
    }
    // With the whole folder away (a volume that is mounted anew), nobody asked for what was in it to be taken away.
    if (state === gone && (await this.#stateOf('')) === gone) return
    const changes = await this.#read(name, state)
    if (changes.length > 0) onChanges(changes)
  }

  /** Differs whenever the content may. */
  async #stateOf(name: string): Promise<string> {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path.join(this.#options.folder, name), {
        bigint: true,
      })
      return [ino, size, mtimeNs, ctimeNs].join(' ')
    } catch (error) {
      return isAbsent(error) ? gone : reasonOf(error)
    }
  }

  async #read(name: string, state: string): Promise<readonly Change[]> {
    let text: string
    try {
      text = await readFile(path.join(this.#options.folder, name), 'utf8')
    } catch (error) {
      if (isAbsent(error)) return this.#replace(name, undefined)
      this.#unreadable(name, state, error)
      return []
    }
    const before = this.#files.get(name)
    if (before?.text === text) {
      this.#files.set(name, { ...before, state })
      return []
    }
    const { objects, problems, ignoredKinds } = parseFile(name, text)
    const { log } = this.#options
    for (const kind of ignoredKinds) log.debug({ file: name, kind }, 'a kind that the mesh does not read')
    if (problems.length > 0) {
      for (const { code, text: problem } of problems) this.#refused(name, code, problem)
      const objectsBefore = before?.objects ?? noObjects
      this.#files.set(name, {
        state,
        text,
        objects: objectsBefore,
        problems: problems.map((problem) => problem.text),
      })
      return []
    }
    if (before !== undefined && before.problems.length > 0)
      log.info({ file: name }, 'a file that was refused is good again')
    return this.#replace(name, {
      state,
      text,
      objects: new Map(objects.map((object) => [object.identity, object])),
      problems: [],
    })
  }

  /** Not the same as gone: nobody asked for what was in it to be taken away. */
  #unreadable(name: string, state: string, error: unknown): void {
    const objects = this.#files.get(name)?.objects ?? noObjects
    const reason = reasonOf(error)
    this.#files.set(name, { state, text: undefined, objects, problems: [reason] })
    this.#refused(name, 'FILE_UNREADABLE', reason)
  }

  #refused(file: string, code: ErrorCode, problem: string): void {
    this.#options.log.error({ code, file, problem }, 'a file is refused; its last good content stays')
  }

  /** The difference between what a file held and what it holds now. */
  #replace(name: string, file: File | undefined): readonly Change[] {
    const before = this.#files.get(name)?.objects ?? noObjects
    if (file === undefined) this.#files.delete(name)
    else this.#files.set(name, file)
    const changes: Change[] = []
    for (const [identity, { change }] of before) {
      if (file?.objects.has(identity) === true || this.#owners.get(identity) !== name) continue
      const heir = this.#fileWith(identity)
      if (heir === undefined) {
        this.#owners.delete(identity)
        if (change !== undefined) changes.push({ ...change, value: undefined })
      } else {
        this.#owners.set(identity, heir.name)
        this.#options.log.info({ file: heir.name }, `${identity} is taken from here now`)
        if (heir.change !== undefined && !isSame(heir.change, change)) changes.push(heir.change)
      }
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
      if (change !== undefined && !isSame(before.get(identity)?.change, change)) changes.push(change)
    }
    return changes
  }

  /** Another file that names an object, as when one is renamed: both names are seen for a moment. */
  #fileWith(identity: string): { readonly name: string; readonly change: Change | undefined } | undefined {
    for (const [name, { objects }] of this.#files) {
      const object = objects.get(identity)
      if (object !== undefined) return { name, change: object.change }
    }
    return undefined
  }
}

function isSame(one: Change | undefined, other: Change | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function unreadable(error: unknown): WeftError {
  return new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
}

/** A folder that is called like a file of ours is none. */
function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCodeOf(error) ?? '')
}
