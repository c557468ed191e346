/** Who is calling: turns a bearer token into a workload. */

/** The service account that a caller proved to be. */
export type WorkloadIdentity = {
  readonly namespace: string
  readonly serviceAccount: string
  /** The pod that the token was made for, where it says so. */
  readonly pod?: string
}

/** Checks bearer tokens. Without a cluster they are our own (token.ts); with one, the API server judges. */
export interface Authenticator {
  /** Resolves with the caller, or rejects with a WeftError whose code tells the reason (TOKEN_...). */
  authenticate(bearer: string): Promise<WorkloadIdentity>
}

const LONGEST_NAMESPACE = 63
const LONGEST_SERVICE_ACCOUNT = 253
const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
const NAMESPACE = new RegExp(`^${LABEL}$`)
const SERVICE_ACCOUNT = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)

/** Reads `system:serviceaccount:<namespace>:<name>`; undefined if it is anything else. */
export function parseSubject(subject: string): WorkloadIdentity | undefined {
  const [system, kind, namespace, serviceAccount, ...rest] = subject.split(':')
  if (system !== 'system' || kind !== 'serviceaccount' || rest.length > 0) return undefined
  if (namespace === undefined || serviceAccount === undefined) return undefined
  return isWorkloadIdentity({ namespace, serviceAccount }) ? { namespace, serviceAccount } : undefined
}

/** Writes the subject of a workload's token. */
export function formatSubject(identity: WorkloadIdentity): string {
  return `system:serviceaccount:${identity.namespace}:${identity.serviceAccount}`
}

/** Whether both names are names that Kubernetes would accept. */
export function isWorkloadIdentity({ namespace, serviceAccount }: WorkloadIdentity): boolean {
  return (
    namespace.length <= LONGEST_NAMESPACE &&
    NAMESPACE.test(namespace) &&
    serviceAccount.length <= LONGEST_SERVICE_ACCOUNT &&
    SERVICE_ACCOUNT.test(serviceAccount)
  )
}
