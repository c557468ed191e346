/** What a set of roots is called: the same name wherever the same roots are, in whatever order they came. */
import { createHash, X509Certificate } from 'node:crypto'

/** The version of a bundle, from the SHA-256 fingerprints of its roots as Node writes them (`AB:CD:...`). */
export function trustBundleVersion(fingerprints: readonly string[]): string {
  return createHash('sha256')
    .update([...new Set(fingerprints)].toSorted().join())
    .digest('hex')
    .slice(0, 16)
}

/** The certificates in a PEM text, one text each, in order. */
export function splitPem(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => `${block}\n`)
}

/** The version of a bundle in PEM. Throws what OpenSSL says of a certificate that cannot be read. */
export function versionOfPem(pem: string): string {
  return trustBundleVersion(splitPem(pem).map((part) => new X509Certificate(part).fingerprint256))
}
