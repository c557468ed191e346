/** The phases in which the root of a mesh is replaced, and who holds one up. Shared by the control plane and `weft identity`. */
import type { SidecarFacts } from './diagnosis.ts'

/**
 * `steady`: one root, which issues. `new-trusted`: the new root is trusted beside the old one, which issues still.
 * `new-issues`: both are trusted, the new one issues. Then `steady` again, with the new root only.
 */
export type RotationPhase = 'steady' | 'new-trusted' | 'new-issues'

export const nextPhase: Readonly<Record<RotationPhase, RotationPhase>> = {
  steady: 'new-trusted',
  'new-trusted': 'new-issues',
  'new-issues': 'steady',
}

/** What sidecars have to have followed before the next phase may begin. */
export type RotationState = {
  readonly phase: RotationPhase
  /** The version of the bundle in force. */
  readonly bundle: string
  /** SHA-256 of the root that certificates lead to now. */
  readonly issuingRoot: string
}

export type Follower = Pick<SidecarFacts, 'bundle' | 'certificateRoot'>

/** What a sidecar has yet to do before the next phase; undefined: nothing. Pure. */
export function lagOf({ phase, bundle, issuingRoot }: RotationState, sidecar: Follower): string | undefined {
  if (sidecar.bundle !== bundle) return `it has not acknowledged trust bundle ${bundle}`
  if (phase === 'new-issues' && sidecar.certificateRoot !== issuingRoot)
    return 'its certificate is not of the new root yet'
  return undefined
}
