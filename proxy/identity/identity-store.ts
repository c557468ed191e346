/**
 * Keeps key and certificate in the sidecar's own state folder, so that a sidecar restarted while the control plane
 * is away comes back with its identity. In a pod that folder is in memory; the key leaves the pod in no case.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WeftError, reasonOf, systemCodeOf } from '../../core/errors.ts'

export type StoredIdentity = { readonly keyPem: string; readonly certificatePem: string }

export interface IdentityStore {
  /** undefined if nothing is kept. Rejects with STATE_FILE_INVALID or STATE_FOLDER_UNUSABLE. */
  load(): Promise<StoredIdentity | undefined>
  /** Rejects with STATE_FOLDER_UNUSABLE. */
  save(identity: StoredIdentity): Promise<void>
}

const FILE = 'identity.json'

export class FileIdentityStore implements IdentityStore {
  readonly #folder: string
  readonly #file: string

  constructor(folder: string) {
    this.#folder = folder
    this.#file = join(folder, FILE)
  }

  async load(): Promise<StoredIdentity | undefined> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined
      throw new WeftError('STATE_FOLDER_UNUSABLE', `cannot read ${this.#file}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
    return parse(text, this.#file)
  }

  async save({ keyPem, certificatePem }: StoredIdentity): Promise<void> {
    const draft = `${this.#file}.draft`
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await writeFile(draft, JSON.stringify({ keyPem, certificatePem }), { mode: 0o600 })
      // The mode above counts only for a new file, and a draft may have been left by a crash.
      await chmod(draft, 0o600)
      await rename(draft, this.#file)
    } catch (error) {
      throw new WeftError('STATE_FOLDER_UNUSABLE', `cannot write ${this.#file}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }
}

function parse(text: string, file: string): StoredIdentity {
  try {
    const { keyPem, certificatePem } = JSON.parse(text) as Partial<Record<string, unknown>>
    if (typeof keyPem === 'string' && typeof certificatePem === 'string') return { keyPem, certificatePem }
  } catch {
    // Told below; the parser's own message could quote the key.
  }
  throw new WeftError('STATE_FILE_INVALID', `${file} does not hold a key and a certificate`)
}
