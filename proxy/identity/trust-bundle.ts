/** The roots that peers are verified against. */
import { X509Certificate } from 'node:crypto'
import { splitPem, trustBundleVersion } from '../../api/trust-bundle.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'

export type TrustBundle = {
  /** Every root in PEM, one after the other. */
  readonly pem: string
  /** The root that issues now first, where the control plane says which. */
  readonly roots: readonly X509Certificate[]
  /** Same roots, same version, in whatever order they came. */
  readonly version: string
}

/** Reads a bundle in PEM. Throws CERTIFICATE_INVALID if there is no root in it, or anything that is not one. */
export function parseTrustBundle(pem: string): TrustBundle {
  const roots = parseCertificates(pem)
  if (roots.length === 0) throw new WeftError('CERTIFICATE_INVALID', 'the trust bundle holds no certificate')
  const wrong = roots.find((root) => !root.ca)
  if (wrong !== undefined) {
    throw new WeftError(
      'CERTIFICATE_INVALID',
      `the trust bundle holds a certificate that is not a CA's: ${wrong.subject}`,
    )
  }
  const version = trustBundleVersion(roots.map((root) => root.fingerprint256))
  return { pem: roots.map((root) => root.toString()).join(''), roots, version }
}

/** The certificates in a PEM text, in order. Throws CERTIFICATE_INVALID if one of them cannot be read. */
export function parseCertificates(pem: string): X509Certificate[] {
  return splitPem(pem).map((block) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw new WeftError('CERTIFICATE_INVALID', `a certificate cannot be read: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  })
}
