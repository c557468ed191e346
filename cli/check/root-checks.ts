/** Whether what the mesh is trusted by is good, and for how long. Pure. */
import { X509Certificate } from 'node:crypto'
import { formatDuration } from '../../core/duration.ts'
import { reasonOf } from '../../core/errors.ts'
import { type Check, type CheckCategory, failing, good, warning } from './check.ts'

const dayMs = 86_400_000
/** As long before its end a certificate is told of. */
const soonMs = 60 * dayMs

export function certificatesOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

function remaining(ms: number): string {
  return formatDuration(Math.floor(ms / 3_600_000) * 3_600_000)
}

/** One certificate that others rely on; `soonWarns`: it is not renewed by itself. */
export function certificateCheck(
  pem: string,
  facts: {
    readonly category: CheckCategory
    readonly prefix: string
    readonly what: string
    readonly hint: string
  },
  nowMs: number,
): Check {
  const { category, prefix, what, hint } = facts
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (error) {
    return failing(category, `${prefix}_INVALID`, `${what} is no certificate: ${reasonOf(error)}`, hint)
  }
  const { validFromDate, validToDate, publicKey } = certificate
  const until = validToDate.toISOString()
  if (validToDate.getTime() <= nowMs)
    return failing(category, `${prefix}_EXPIRED`, `${what} ended at ${until}`, hint)
  if (validFromDate.getTime() > nowMs)
    return failing(
      category,
      `${prefix}_NOT_YET_VALID`,
      `${what} begins at ${validFromDate.toISOString()}`,
      'set the clocks right',
    )
  const strong =
    publicKey.asymmetricKeyType === 'ec' || (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
  if (!strong) return failing(category, `${prefix}_WEAK`, `${what} has a key that is not strong enough`, hint)
  const leftMs = validToDate.getTime() - nowMs
  if (leftMs < soonMs)
    return warning(
      category,
      `${prefix}_EXPIRES_SOON`,
      `${what} ends at ${until}, in ${remaining(leftMs)}`,
      hint,
    )
  return good(category, `${prefix}_VALID`, `${what} is valid until ${until}`)
}

const rootHint =
  'weft identity rotate replaces a root that weft made; one of your own is replaced as docs/identity.md says'

export function rootChecks(pem: string, nowMs: number): readonly Check[] {
  const roots = certificatesOf(pem)
  if (roots.length === 0)
    return [failing('identity', 'ROOT_MISSING', 'the mesh has no root certificate', rootHint)]
  return roots.map((root, i) => {
    const what = roots.length === 1 ? 'the root certificate' : `root certificate ${i + 1}`
    return certificateCheck(root, { category: 'identity', prefix: 'ROOT', what, hint: rootHint }, nowMs)
  })
}
