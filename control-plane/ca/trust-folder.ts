/**
 * The trust of a mesh without a cluster, in the state folder. A root that was never replaced is two files, its key for
 * the owner alone; from the first rotation on `trust.json` holds everything, because a phase has to change as one.
 * `root-cert.pem` is what sidecars are given in either case: every root that is trusted.
 */
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { IssuerPem } from './issuer.ts'
import { makeRootCertificate, makeRootKey } from './root.ts'
import type { StateFolder } from './state-folder.ts'
import { loadTrust, type TrustPem } from './trust.ts'
import { type KeptTrust, trustFields, trustOfFields, type TrustStore } from './trust-store.ts'

const KEY_FILE = 'root-key.pem'
const BUNDLE_FILE = 'root-cert.pem'
const TRUST_FILE = 'trust.json'

export type TrustFolderOptions = {
  readonly folder: StateFolder
  readonly trustDomain: string
  readonly clock: Clock
  readonly log: Log
}

export class TrustFolder implements TrustStore {
  readonly rotates = true
  readonly names: TrustStore['names']
  readonly #options: TrustFolderOptions
  #followedUp = ''

  constructor(options: TrustFolderOptions) {
    this.#options = options
    const { folder } = options
    const rotated = folder.readPrivate(TRUST_FILE) !== undefined
    this.names = {
      key: folder.fileOf(rotated ? TRUST_FILE : KEY_FILE),
      certificate: folder.fileOf(rotated ? TRUST_FILE : BUNDLE_FILE),
    }
  }

  async load(): Promise<KeptTrust> {
    const text = this.#options.folder.readPrivate(TRUST_FILE)
    const pem = text === undefined ? { issuer: await this.#firstRoot() } : this.#parse(text)
    // A process that ended in the middle of a change has written the one and not the other.
    if (text !== undefined && text !== this.#followedUp) await this.#followUp(text, pem)
    return { pem, replace: (next) => this.#replace(text, next) }
  }

  /**
   * Reads the root, or makes it in an empty folder. A key without a certificate gets a new certificate, which verifies
   * all that the key ever signed; a certificate without its key is an error, since nothing can replace it.
   */
  async #firstRoot(): Promise<IssuerPem> {
    const { folder, trustDomain, clock, log } = this.#options
    const { key, certificate } = this.names
    let keyPem = folder.readPrivate(KEY_FILE)
    let certificatePem = folder.read(BUNDLE_FILE)
    if (keyPem === undefined && certificatePem !== undefined)
      throw new WeftError('STATE_FILE_INVALID', `${key} is missing, but its certificate is there`)
    if (keyPem === undefined) {
      keyPem = folder.createPrivate(KEY_FILE, await makeRootKey())
      log.info({ file: key }, 'made a new root key')
    }
    if (certificatePem === undefined) {
      const made = await makeRootCertificate(keyPem, key, trustDomain, clock)
      certificatePem = folder.createPublic(BUNDLE_FILE, made)
      log.info({ file: certificate }, 'made a new root certificate')
    }
    return { keyPem, certificatePem }
  }

  #parse(text: string): TrustPem {
    const file = this.#options.folder.fileOf(TRUST_FILE)
    const invalid = (what: string) => new WeftError('STATE_FILE_INVALID', `${file} ${what}`)
    let kept: unknown
    try {
      kept = JSON.parse(text)
    } catch {
      // The parser's own message could quote the key.
      throw invalid('is no JSON')
    }
    const values = Object.values((kept ?? {}) as object)
    if (typeof kept !== 'object' || kept === null || values.some((value) => typeof value !== 'string'))
      throw invalid('does not hold texts by name')
    const pem = trustOfFields(kept as Record<string, string>, () => invalid('holds a half of a key pair'))
    if (pem === undefined) throw invalid('holds no root')
    return pem
  }

  async #replace(before: string | undefined, next: TrustPem): Promise<boolean> {
    const { folder } = this.#options
    if (folder.readPrivate(TRUST_FILE) !== before) return false
    const text = `${JSON.stringify(trustFields(next), undefined, 2)}\n`
    folder.replacePrivate(TRUST_FILE, text)
    await this.#followUp(text, next)
    return true
  }

  async #followUp(text: string, pem: TrustPem): Promise<void> {
    const { folder, trustDomain, clock } = this.#options
    const { bundlePem } = await loadTrust(pem, { names: this.names, trustDomain, clock })
    if (folder.read(BUNDLE_FILE) !== bundlePem) folder.replacePublic(BUNDLE_FILE, bundlePem)
    folder.remove(KEY_FILE)
    this.#followedUp = text
  }
}
