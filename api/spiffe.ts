/** SPIFFE ids of workloads: `spiffe://<trust-domain>/ns/<namespace>/sa/<service-account>` (SPIFFE-ID standard). */

export type SpiffeId = {
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
}

const maxIdBytes = 2048
const form =
  /^spiffe:\/\/([a-z0-9._-]{1,255})\/ns\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/sa\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/

/** The parts of `text`, or undefined when it is not a workload's id in exactly this form. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > maxIdBytes) return undefined
  const match = form.exec(text)
  if (match === null) return undefined
  const [, trustDomain, namespace, serviceAccount] = match as unknown as [string, string, string, string]
  return { trustDomain, namespace, serviceAccount }
}

export function formatSpiffeId(id: SpiffeId): string {
  return `spiffe://${id.trustDomain}/ns/${id.namespace}/sa/${id.serviceAccount}`
}
