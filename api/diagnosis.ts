import type { RotationState } from './rotation.ts'

// Why does A not reach B: what the control plane and the sidecars say about it, step by step.

/** Where on the way from an application to another a step is. */
export type DiagnosisPlace =
  | 'source'
  | 'name'
  | 'route'
  | 'policy'
  | 'backend'
  | 'endpoint'
  | 'identity'
  | 'sidecar'
  | 'application'

/** `fails`: requests end here. `warning`: some of them do, or may. `unknown`: nobody could be asked. */
export type DiagnosisOutcome = 'ok' | 'warning' | 'fails' | 'unknown'

/** One thing that was looked at. */
export interface DiagnosisStep {
  readonly place: DiagnosisPlace
  /** A stable word for what was found. */
  readonly id: string
  readonly outcome: DiagnosisOutcome
  readonly message: string
  /** What to do; empty where nothing is to be done. */
  readonly hint: string
  /** `namespace/pod` whose connection to this replica it is about. */
  readonly subject?: string
}

/** The request that is asked about. */
export interface DiagnosedRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

/** A sidecar as the control plane knows it. */
export interface SidecarFacts {
  readonly namespace: string
  readonly pod: string
  /** The SPIFFE id that its token proved; null on the listener in clear. */
  readonly identity: string | null
  readonly version: string
  /** Where its admin pages are, as it says itself; null: it does not say. */
  readonly admin: string | null
  readonly connectedAtMs: number
  /** The version of the trust bundle that it acknowledged last; null: none yet. */
  readonly bundle: string | null
  /** SHA-256 of the root that its certificate leads to, and when that ends, as it says itself; null: it has none. */
  readonly certificateRoot: string | null
  readonly certificateNotAfterMs: number | null
  /** What it refused of what it was sent, and has not taken since. */
  readonly refused: readonly { readonly kind: string; readonly reason: string }[]
}

/** One endpoint that requests may be sent to. */
export interface DiagnosedEndpoint {
  readonly address: string
  /** `namespace/pod`; null: an address and nothing else. */
  readonly workload: string | null
  readonly meshed: boolean
  /** The SPIFFE id that it has to show; null where it is not meshed. */
  readonly identity: string | null
  /** The port of the application behind its sidecar. */
  readonly applicationPort: number
  readonly sidecar: SidecarFacts | null
}

/** A backend that the request may be sent to; `cluster` is its name in xDS. */
export interface DiagnosedBackend {
  readonly cluster: string
  readonly sharePercent: number
  readonly endpoints: readonly DiagnosedEndpoint[]
  /** Outside of the mesh: the client itself looks up its addresses; null: the endpoints are the mesh's. */
  readonly host: string | null
}

/** The answer of the control plane's `GET /diagnose`. */
export interface Diagnosis {
  readonly from: string
  /** In the form that sidecars ask for it. */
  readonly to: string
  readonly steps: readonly DiagnosisStep[]
  readonly backends: readonly DiagnosedBackend[]
  /** The client's own sidecar; null: not connected. */
  readonly sidecar: SidecarFacts | null
  /** The resources that lead there, as the client's sidecar should hold them. */
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly version: string }[]
}

/** A connection that a sidecar tried on request. */
export interface TriedConnection {
  readonly address: string
  /** As the balancer has it; null: not in its cluster. */
  readonly state: string | null
  readonly meshed: boolean
  /** null: it was accepted. */
  readonly failure: { readonly code: string; readonly reason: string } | null
}

/** How full a cluster with limits is; `turnedAway`: requests that were above one of them, since it has limits. */
export interface ClusterLoad {
  readonly requests: number
  readonly maxRequests: number
  readonly waiting: number
  readonly maxPending: number
  readonly turnedAway: number
}

/** A cluster whose endpoints a sidecar tried on request. */
export interface TriedCluster {
  readonly name: string
  readonly connections: readonly TriedConnection[]
  /** So many are ejected that ejections are overlooked. */
  readonly panicking: boolean
  /** null: it has no limits. */
  readonly load: ClusterLoad | null
}

/** The answer of a sidecar's `POST /diagnose`. */
export interface SidecarDiagnosis {
  /** Whether the mesh knows the name, as far as this sidecar is told; null: not asked. */
  readonly destination: { readonly name: string; readonly state: 'known' | 'unknown' | 'unavailable' } | null
  readonly clusters: readonly TriedCluster[]
  /** The application's port on this machine; null: not asked. */
  readonly application: TriedConnection | null
}

/** A workload that should have a sidecar: an entry of the control plane's `GET /sidecars`. */
export interface MeshedWorkload {
  readonly namespace: string
  readonly pod: string
  readonly serviceAccount: string
  /** The identity that its sidecar has to prove. */
  readonly identity: string
  /** null: it is not connected. */
  readonly sidecar: SidecarFacts | null
}

/** The answer of the control plane's `GET /identity`: what the mesh is trusted by. */
export interface MeshTrust {
  readonly version: string
  /** The control plane's clock. */
  readonly nowMs: number
  readonly trustDomain: string
  readonly leafLifetimeMs: number
  /** PEM, one certificate or several; the one that issues first. */
  readonly roots: string
  readonly rotation: RotationState
  /** Whether `weft identity rotate` can replace the root; otherwise it is kept outside of weft. */
  readonly rotates: boolean
}
