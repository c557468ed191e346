/** Trust that is kept outside of weft: the user's own issuer and bundle, or the bundle of somebody else's CA. */
import { readFileSync, statSync } from 'node:fs'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import type { TrustPem } from './trust.ts'
import { readSecret, type SecretName, secretTexts } from './trust-secret.ts'
import type { KeptTrust, TrustStore } from './trust-store.ts'

const READABLE_BY_OTHERS = 0o007

/** Who keeps it replaces it. */
function kept(pem: TrustPem): KeptTrust {
  return { pem, replace: () => Promise.resolve(false) }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
}

function readKey(file: string): string {
  const text = readText(file)
  if ((statSync(file).mode & READABLE_BY_OTHERS) !== 0)
    throw new WeftError('STATE_FILE_EXPOSED', `${file} can be read by every user`)
  return text
}

/** The user's own issuer, in files that are read anew at each look. */
export class TrustFiles implements TrustStore {
  readonly rotates = false
  readonly names: TrustStore['names']
  readonly #bundleFile: string

  constructor(files: { readonly key: string; readonly certificate: string; readonly bundle: string }) {
    this.names = { key: files.key, certificate: files.certificate }
    this.#bundleFile = files.bundle
  }

  async load(): Promise<KeptTrust> {
    const { key, certificate } = this.names
    const issuer = { keyPem: readKey(key), certificatePem: readText(certificate) }
    return kept({ issuer, bundlePem: readText(this.#bundleFile) })
  }
}

/** The user's own issuer, in a Secret as cert-manager makes them: tls.key, tls.crt and ca.crt. */
export class TrustIssuerSecret implements TrustStore {
  readonly rotates = false
  readonly names: TrustStore['names']
  readonly #client: KubernetesClient
  readonly #secret: SecretName

  constructor(client: KubernetesClient, secret: SecretName) {
    this.#client = client
    this.#secret = secret
    const where = `Secret ${secret.namespace}/${secret.name}`
    this.names = { key: `tls.key of ${where}`, certificate: `tls.crt of ${where}` }
  }

  async load(): Promise<KeptTrust> {
    const { namespace, name } = this.#secret
    const found = await readSecret(this.#client, this.#secret)
    // cert-manager may be about to make it: a start waits for it, as for an API server that is away.
    if (found === undefined)
      throw new WeftError('KUBERNETES_FAILED', `Secret ${namespace}/${name} is not there yet`)
    const texts = secretTexts(found)
    const { 'tls.key': keyPem = '', 'tls.crt': certificatePem = '', 'ca.crt': bundlePem = '' } = texts
    if (keyPem === '' || certificatePem === '' || bundlePem === '')
      throw new WeftError(
        'STATE_FILE_INVALID',
        `Secret ${namespace}/${name} must have tls.key, tls.crt and ca.crt`,
      )
    return kept({ issuer: { keyPem, certificatePem }, bundlePem })
  }
}

/** Workloads get their certificates from another CA, whose roots are in a file; ours is for the control plane's server. */
export class ExternalTrust implements TrustStore {
  readonly rotates = false
  readonly #own: TrustStore
  readonly #bundleFile: string

  constructor(own: TrustStore, bundleFile: string) {
    this.#own = own
    this.#bundleFile = bundleFile
  }

  get names(): TrustStore['names'] {
    return this.#own.names
  }

  async load(): Promise<KeptTrust> {
    const { pem } = await this.#own.load()
    return kept({ issuer: pem.issuer, bundlePem: readText(this.#bundleFile), external: true })
  }
}
