/** Who may call a workload, as users say it: AccessPolicies of ours, and SMI's TrafficTargets. */
import type { TextMatch } from './objects.ts'

export type MtlsMode = 'strict' | 'permissive'

/** Whose clients are meant, all in the policy's own namespace but for `mesh`. */
export type AccessTarget =
  | { readonly kind: 'mesh' | 'namespace' }
  | { readonly kind: 'serviceAccount'; readonly name: string }
  | {
      readonly kind: 'service'
      readonly name: string
      /** undefined: the pods behind it as a whole. */
      readonly port: { readonly name: string } | { readonly number: number } | undefined
    }
  | { readonly kind: 'pods'; readonly labels: Readonly<Record<string, string>> }

/** `exact`, or with a `*` at its beginning or end; `*` alone: whoever has proven to be somebody. */
export type PrincipalPattern = string

/** One of `principals`, `serviceAccounts` and `namespaces`, from one of `cidrs`; what is empty is not asked for. */
export type AccessSource = {
  readonly principals: readonly PrincipalPattern[]
  readonly serviceAccounts: readonly { readonly namespace: string; readonly name: string }[]
  readonly namespaces: readonly string[]
  readonly cidrs: readonly { readonly address: string; readonly prefixLength: number }[]
}

/** `below`: the path itself, and everything below it. A regex has to match the whole path. */
export type AccessPath = { readonly kind: 'exact' | 'below' | 'regex'; readonly value: string }

/** One of each; all of `headers`. What is empty is not asked for. */
export type AccessOperation = {
  readonly ports: readonly number[]
  readonly paths: readonly AccessPath[]
  readonly methods: readonly string[]
  readonly headers: readonly TextMatch[]
}

export type AccessRule = {
  readonly name: string
  readonly action: 'allow' | 'deny' | 'audit'
  /** One of them; empty: everybody. */
  readonly from: readonly AccessSource[]
  /** One of them; empty: everything. */
  readonly to: readonly AccessOperation[]
}

export type AccessPolicy = {
  readonly namespace: string
  readonly name: string
  readonly targets: readonly AccessTarget[]
  readonly mtls: MtlsMode | undefined
  /** Of single ports of the workload. */
  readonly mtlsOfPorts: readonly { readonly port: number; readonly mode: MtlsMode }[]
  /** What becomes of the rest; undefined: denied, where the policy allows anything. */
  readonly verdict: 'allow' | 'deny' | undefined
  readonly rules: readonly AccessRule[]
}

/** Who is meant, as a TrafficTarget writes it: a `ServiceAccount` or an `IdentityBinding`; whatever else is nobody. */
export type IdentityReference = { readonly kind: string; readonly namespace: string; readonly name: string }

/** SMI's: workloads of its own namespace, by any of three ways to name them. */
export type IdentityBinding = {
  readonly namespace: string
  readonly name: string
  /** Of each, a pod has to have all labels. */
  readonly podLabels: readonly Readonly<Record<string, string>>[]
  readonly spiffeIds: readonly string[]
  readonly serviceAccount: string | undefined
}

/** SMI's: what is not allowed by one of those for a destination is denied there. */
export type TrafficTarget = {
  readonly namespace: string
  readonly name: string
  /** Its namespace is as it is written: only the target's own can be meant. */
  readonly destination: IdentityReference
  /** Of the workload; undefined: all of them. */
  readonly port: number | undefined
  readonly rules: readonly {
    readonly kind: 'HTTPRouteGroup' | 'TCPRoute' | 'UDPRoute'
    readonly name: string
    /** undefined: all matches of the group. */
    readonly matches: readonly string[] | undefined
  }[]
  readonly sources: readonly IdentityReference[]
}
