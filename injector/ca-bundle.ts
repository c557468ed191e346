/** The certificates that the API server trusts the webhook by: those of every replica, old and new. Pure. */
import { X509Certificate } from 'node:crypto'

/** More replicas and predecessors than there ever are; a crash loop is not to make it grow without end. */
const mostCertificates = 24

function blocksOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

function isAlive(pem: string, nowMs: number): boolean {
  try {
    return new X509Certificate(pem).validToDate.getTime() > nowMs
  } catch {
    return false
  }
}

/** `bundle` (base64 of PEM, as in a webhook) with `certificatePem`, without what has expired. */
export function withCertificate(bundle: string, certificatePem: string, nowMs: number): string {
  const known = blocksOf(Buffer.from(bundle, 'base64').toString())
  const ours = certificatePem.trim()
  if (known.includes(ours) && known.every((pem) => isAlive(pem, nowMs))) return bundle
  const others = known.filter((pem) => pem !== ours && isAlive(pem, nowMs))
  const kept = [...others, ours].slice(-mostCertificates)
  return Buffer.from(`${kept.join('\n')}\n`).toString('base64')
}
