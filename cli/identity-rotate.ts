/** `weft identity rotate`: leads the mesh from one root to the next, a phase at a time, behind the slowest sidecar. */
import type { MeshTrust } from '../api/diagnosis.ts'
import { lagOf, nextPhase, type RotationPhase, type RotationState } from '../api/rotation.ts'
import type { Clock } from '../core/clock.ts'
import { formatDuration } from '../core/duration.ts'
import { WeftError } from '../core/errors.ts'
import { type MeshAccess, readPageOfAll } from './reach/mesh-access.ts'
import { readWorkloads } from './reach/workloads.ts'

export type RotateOptions = {
  /** One phase further, and not to the end. */
  readonly step: boolean
  /** How long each phase is waited for. */
  readonly timeoutMs: number
  /** Go on without sidecars that are not connected: they are cut off until they are, and may have to be made anew. */
  readonly leaveBehind: boolean
  readonly clock: Clock
  readonly write: (line: string) => void
}

const lookEveryMs = 500
/** Of a long list, this many are named. */
const mostNamed = 10

const told: Readonly<Record<RotationPhase, string>> = {
  steady: 'one root is trusted, and issues',
  'new-trusted': 'old and new root are trusted, the old one issues',
  'new-issues': 'old and new root are trusted, the new one issues',
}

/**
 * Rejects with ROTATION_REFUSED when sidecars have not followed in time, naming them, or when the root is kept outside of
 * weft; and with CONTROL_PLANE_UNREACHABLE. What was reached stays: the next call goes on from there.
 */
export async function rotate(access: MeshAccess, options: RotateOptions): Promise<void> {
  const { write, step } = options
  let state = await untilFollowed(access, options)
  write(phaseLine(state))
  for (;;) {
    const to = nextPhase[state.phase]
    await change(access, to)
    write(phaseLine(await untilAgreed(access, to, options)))
    if (step || to === 'steady') return
    state = await untilFollowed(access, options)
  }
}

function phaseLine({ phase, bundle }: RotationState): string {
  return `${phase}: ${told[phase]}; trust bundle ${bundle}`
}

async function change(access: MeshAccess, to: RotationPhase): Promise<void> {
  const { status, text } = await access.changeControlPlane(`/identity/rotate?to=${to}`)
  if (status === 200) return
  const reasons = text.trim().split('\n')
  throw new WeftError('ROTATION_REFUSED', `the control plane does not begin ${to}`, { detail: reasons })
}

/** Every replica is in the phase. */
function untilAgreed(access: MeshAccess, to: RotationPhase, options: RotateOptions): Promise<RotationState> {
  return until(options, async () => {
    const states = await rotationOfAll(access)
    const [first] = states
    const agreed = states.every(({ phase, bundle }) => phase === to && bundle === first?.bundle)
    if (agreed && first !== undefined) return { found: first }
    return { missing: [`a replica of the control plane is not in ${to} yet`] }
  })
}

/** Every sidecar has what the phase in force asks of it. */
function untilFollowed(access: MeshAccess, options: RotateOptions): Promise<RotationState> {
  let said = ''
  return until(options, async () => {
    const [state] = await rotationOfAll(access)
    if (state === undefined) return { missing: ['there is no control plane'] }
    const late = await laggards(access, state, options.leaveBehind)
    const line = late.length === 0 ? '' : `waiting for ${late.length}: ${late[0]}`
    if (line !== said && line !== '') options.write(`  ${line}`)
    said = line
    return late.length === 0 ? { found: state } : { missing: late }
  })
}

async function rotationOfAll(access: MeshAccess): Promise<readonly RotationState[]> {
  const pages = await readPageOfAll<MeshTrust>(access, '/identity')
  if (pages.some(({ rotates }) => !rotates))
    throw new WeftError(
      'ROTATION_REFUSED',
      'the issuer of this mesh is kept outside of weft: it is replaced there, in the order of docs/identity.md',
    )
  return pages.map(({ rotation }) => rotation)
}

async function laggards(
  access: MeshAccess,
  state: RotationState,
  leaveBehind: boolean,
): Promise<readonly string[]> {
  const workloads = await readWorkloads(access)
  return workloads.flatMap(({ namespace, pod, sidecar }) => {
    if (sidecar === null) return leaveBehind ? [] : [`${namespace}/${pod}: its sidecar is not connected`]
    const lag = lagOf(state, sidecar)
    return lag === undefined ? [] : [`${namespace}/${pod}: ${lag}`]
  })
}

/** What was looked for, or every reason why it is not there yet. */
type Look<T> = { readonly found: T } | { readonly missing: readonly string[] }

/** Looks again and again. Rejects with ROTATION_REFUSED after the timeout. */
async function until<T>({ clock, timeoutMs }: RotateOptions, look: () => Promise<Look<T>>): Promise<T> {
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const seen = await look()
    if ('found' in seen) return seen.found
    if (clock.monotonicMs() >= endMs) throw notFollowed(seen.missing, timeoutMs)
    await new Promise<void>((resolve) => void setTimeout(resolve, lookEveryMs))
  }
}

function notFollowed(missing: readonly string[], timeoutMs: number): WeftError {
  const more = missing.length > mostNamed ? [`and ${missing.length - mostNamed} more`] : []
  return new WeftError('ROTATION_REFUSED', `not followed after ${formatDuration(timeoutMs)}`, {
    detail: [...missing.slice(0, mostNamed), ...more],
  })
}
