/** Which workloads the two sides of an exchange are, as OSM and Istio name them. */
import { parseSpiffeId } from '../../api/spiffe.ts'

/** Whose sidecar this is. */
export type OwnWorkload = {
  readonly namespace: string
  readonly pod: string
  readonly kind: string
  readonly name: string
}

/** What a certificate says of a peer: the name of its service account stands for that of its workload. */
export function workloadOf(principal: string | undefined): {
  readonly namespace: string
  readonly name: string
} {
  const id = principal === undefined ? undefined : parseSpiffeId(principal)
  return { namespace: id?.namespace ?? 'unknown', name: id?.serviceAccount ?? 'unknown' }
}
