/** Where a mesh's trust is kept, so that it outlives the process and, in a cluster, is the same for every replica. */
import type { IssuerNames } from './issuer.ts'
import type { TrustPem } from './trust.ts'

/** What was read at one moment. */
export interface KeptTrust {
  readonly pem: TrustPem
  /** False: somebody else was first, and what is kept has to be read again. */
  replace(next: TrustPem): Promise<boolean>
}

export interface TrustStore {
  /** How the parts are called in errors. */
  readonly names: IssuerNames
  /** Whether weft makes the roots itself; otherwise they are replaced by whoever keeps them. */
  readonly rotates: boolean
  /** What is kept; made when there is nothing. Rejects with a STATE_, FILE_ or KUBERNETES_ code. */
  load(): Promise<KeptTrust>
}

/** The fields of what is kept, named so that a Secret with them is of type kubernetes.io/tls. */
const fields = {
  key: 'tls.key',
  certificate: 'tls.crt',
  nextKey: 'next.key',
  nextCertificate: 'next.crt',
  previous: 'previous.crt',
} as const

export type TrustFields = Readonly<Record<string, string>>

/** Every field, those that are not there now empty, so that what a phase leaves behind is overwritten. */
export function trustFields({ issuer, next, previousPem }: TrustPem): TrustFields {
  return {
    [fields.key]: issuer.keyPem,
    [fields.certificate]: issuer.certificatePem,
    [fields.nextKey]: next?.keyPem ?? '',
    [fields.nextCertificate]: next?.certificatePem ?? '',
    [fields.previous]: previousPem ?? '',
  }
}

/** undefined: there is neither key nor certificate. A half of a pair is told by `whenHalf`. */
export function trustOfFields(
  kept: Readonly<Record<string, string | undefined>>,
  whenHalf: () => Error,
): TrustPem | undefined {
  const pair = (keyField: string, certificateField: string) => {
    const [keyPem, certificatePem] = [kept[keyField] ?? '', kept[certificateField] ?? '']
    if (keyPem === '' && certificatePem === '') return undefined
    if (keyPem === '' || certificatePem === '') throw whenHalf()
    return { keyPem, certificatePem }
  }
  const issuer = pair(fields.key, fields.certificate)
  if (issuer === undefined) return undefined
  const next = pair(fields.nextKey, fields.nextCertificate)
  const previousPem = kept[fields.previous] ?? ''
  return {
    issuer,
    ...(next === undefined ? {} : { next }),
    ...(previousPem === '' ? {} : { previousPem }),
  }
}
