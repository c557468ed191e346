/** The resources in force, kept on disk, so that a sidecar restarted while the control plane is away comes back with them. */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { failureFields, reasonOf, systemCodeOf, WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { makeFolder } from '../../core/make-folder.ts'

export type StoredResource = {
  readonly kind: ResourceKind
  readonly name: string
  readonly version: string
  readonly bytes: Uint8Array
}

const format = 'weft-xds-1'
/** Changes come in bursts; one write per burst. */
const writeDelayMs = 200

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex')
}

export class LastKnownGood {
  readonly #file: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #snapshot: () => readonly StoredResource[]
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()
  /** How often it was written at once. */
  #written = 0

  /** `snapshot` gives what is in force when a write is due. The folder is made when it is missing. Throws STATE_FOLDER_UNUSABLE. */
  constructor(options: {
    readonly folder: string
    readonly clock: Clock
    readonly log: Log
    readonly snapshot: () => readonly StoredResource[]
  }) {
    makeFolder(options.folder)
    this.#file = path.join(options.folder, 'last-known-good.json')
    this.#clock = options.clock
    this.#log = options.log
    this.#snapshot = options.snapshot
  }

  /** What was kept; nothing when there is no file, or when it cannot be read or is damaged (said in the log, and begun anew). */
  load(): readonly StoredResource[] {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      // No file is the usual first start.
      if (systemCodeOf(error) !== 'ENOENT') {
        const failure = new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
        this.#log.warn(failureFields(failure), 'the kept configuration cannot be read; it is not used')
      }
      return []
    }
    const newline = text.indexOf('\n')
    const body = text.slice(newline + 1)
    if (text.slice(0, newline) !== `${format} ${checksum(body)}`) {
      this.#log.warn(
        { code: 'STATE_FILE_INVALID', file: this.#file },
        'the kept configuration is damaged; it is not used',
      )
      return []
    }
    const stored = JSON.parse(body) as (Omit<StoredResource, 'bytes'> & { bytes: string })[]
    return stored.map((entry) => ({ ...entry, bytes: Buffer.from(entry.bytes, 'base64') }))
  }

  /** Something changed: a write follows shortly. */
  changed(): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#clock.after(writeDelayMs, () => {
      this.#timer = undefined
      void this.flush()
    })
  }

  /** Writes now, the last thing at shutdown. Failures are logged: the disk is a help, not a condition. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  /** On disk when this returns: of what a request is judged by, nothing is in force that a crash could take back. */
  writeNow(): void {
    this.#written++
    this.#reporting(() => {
      writeFileSync(`${this.#file}.now`, this.#text(), { mode: 0o600 })
      renameSync(`${this.#file}.now`, this.#file)
    })
  }

  async #write(): Promise<void> {
    const before = this.#written
    const text = this.#text()
    const failed = await writeFile(`${this.#file}.new`, text, { mode: 0o600 }).catch((error: unknown) => ({
      error,
    }))
    this.#reporting(() => {
      if (failed !== undefined) throw failed.error
      // Else what is on disk is newer than this.
      if (before === this.#written) renameSync(`${this.#file}.new`, this.#file)
    })
  }

  #text(): string {
    const resources = this.#snapshot().map((entry) => ({
      ...entry,
      bytes: Buffer.from(entry.bytes).toString('base64'),
    }))
    const body = JSON.stringify(resources)
    return `${format} ${checksum(body)}\n${body}`
  }

  #reporting(write: () => void): void {
    try {
      write()
    } catch (error) {
      const failure = new WeftError('STATE_FOLDER_UNUSABLE', reasonOf(error), { cause: error })
      this.#log.warn(failureFields(failure), 'the configuration in force could not be kept on disk')
    }
  }
}
