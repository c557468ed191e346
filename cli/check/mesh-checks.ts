/** What a mesh that runs says of itself, judged. Pure. */
import type { MeshedWorkload, MeshTrust } from '../../api/diagnosis.ts'
import { lagOf } from '../../api/rotation.ts'
import { askedChecks } from './asked-checks.ts'
import { backendChecks } from './backend-checks.ts'
import { type Check, failing, good, unasked, warning } from './check.ts'
import type { MeshFacts, SidecarAnswer } from './mesh-facts.ts'
import { policyChecks } from './policy-checks.ts'
import { rootChecks } from './root-checks.ts'

type Reached = Extract<MeshFacts, { readonly reached: true }>

/** Certificates are backdated by two minutes: clocks further apart stop the newest. */
const mostSkewMs = 60_000
/** A certificate is renewed at half of its life: with less than a quarter left, that has failed. */
const lateShare = 0.25

function versionChecks({ trust, workloads }: Reached, clientVersion: string): readonly Check[] {
  const hint = 'run the same version everywhere; the control plane first, then the sidecars'
  const ofControlPlane =
    trust.version === clientVersion
      ? good('version', 'VERSIONS_EQUAL', `control plane and client are ${clientVersion}`)
      : warning(
          'version',
          'CONTROL_PLANE_VERSION',
          `the control plane is ${trust.version}, the client ${clientVersion}`,
          hint,
        )
  const others = workloads.filter(({ sidecar }) => sidecar !== null && sidecar.version !== trust.version)
  return [
    ofControlPlane,
    ...others.map(({ namespace, pod, sidecar }) =>
      warning(
        'version',
        'SIDECAR_VERSION',
        `the sidecar of ${namespace}/${pod} is ${sidecar?.version}, the control plane ${trust.version}`,
        'make the pod anew',
      ),
    ),
  ]
}

function clockCheck({ trust }: Reached, nowMs: number): Check {
  const skewMs = Math.round(trust.nowMs - nowMs)
  const seconds = Math.abs(skewMs / 1000).toFixed(1)
  return Math.abs(skewMs) > mostSkewMs
    ? failing(
        'control-plane',
        'CLOCK_SKEW',
        `the clock of the control plane is ${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}`,
        'set the clocks by NTP: certificates look expired, or not yet valid',
      )
    : good('control-plane', 'CLOCKS_AGREE', `its clock and this one agree within ${mostSkewMs / 1000} s`)
}

function configurationChecks({ findings, backends, clients }: Reached): readonly Check[] {
  const refused = findings.refused.map(({ object, problems: [first = 'see its log', ...others] }) =>
    failing(
      'configuration',
      'FILE_REFUSED',
      `${object} is refused, what it said before is in force: ${first}${others.length > 0 ? ` (and ${others.length} more)` : ''}`,
      "correct what is named; the control plane's log has all of it",
    ),
  )
  // One trouble may spoil several conditions of one object.
  const single = new Map(findings.findings.map((finding) => [`${finding.code} ${finding.object}`, finding]))
  const followed = [...single.values()].map(({ code, object, message }) =>
    warning('configuration', code, `${object}: ${message}`, 'correct the object named'),
  )
  const all = [...refused, ...followed, ...backendChecks(backends), ...askedChecks(backends, clients)]
  if (all.length > 0) return all
  return [good('configuration', 'CONFIGURATION_FOLLOWED', 'everything in the configuration can be followed')]
}

/** As the control plane sees it. */
function connectionCheck({ namespace, pod, identity, sidecar }: MeshedWorkload): readonly Check[] {
  const key = `${namespace}/${pod}`
  if (sidecar === null)
    return [
      failing(
        'data-plane',
        'SIDECAR_NOT_CONNECTED',
        `the sidecar of ${key} is not connected`,
        'see whether it runs; if the pod has none, make the pod anew',
      ),
    ]
  if (sidecar.identity !== null && sidecar.identity !== identity)
    return [
      failing(
        'data-plane',
        'SIDECAR_IDENTITY',
        `the sidecar of ${key} is ${sidecar.identity}, and not ${identity}`,
        "run it with the pod's own ServiceAccount",
      ),
    ]
  return sidecar.refused.map(({ kind, reason }) =>
    failing(
      'data-plane',
      'CONFIG_REFUSED',
      `the sidecar of ${key} refuses a ${kind}: ${reason}`,
      'run the same version on both sides, or correct the object that it comes from',
    ),
  )
}

/** By what it told the control plane, so that it need not be asked itself. */
function certificateCheck(
  { namespace, pod, sidecar }: MeshedWorkload,
  { leafLifetimeMs }: MeshTrust,
  nowMs: number,
): readonly Check[] {
  if (sidecar === null) return []
  const key = `${namespace}/${pod}`
  const hint = "see in the sidecar's log why it is given no certificate"
  const { certificateNotAfterMs: endsMs } = sidecar
  if (endsMs === null)
    return [failing('data-plane', 'NOT_ENROLLED', `the sidecar of ${key} has no certificate`, hint)]
  const ends = new Date(endsMs).toISOString()
  if (endsMs <= nowMs)
    return [failing('data-plane', 'CERTIFICATE_EXPIRED', `the certificate of ${key} ended at ${ends}`, hint)]
  return endsMs - nowMs < leafLifetimeMs * lateShare
    ? [
        warning(
          'data-plane',
          'CERTIFICATE_NOT_RENEWED',
          `the certificate of ${key} ends at ${ends} and is not renewed`,
          hint,
        ),
      ]
    : []
}

/** Whether what it trusts is what the mesh trusts, and its certificate of the root that issues. */
function bundleCheck({ namespace, pod, sidecar }: MeshedWorkload, { rotation }: MeshTrust): readonly Check[] {
  const lag = sidecar === null ? undefined : lagOf(rotation, sidecar)
  if (lag === undefined) return []
  const text = `the sidecar of ${namespace}/${pod} is behind in ${rotation.phase}: ${lag}`
  return [warning('data-plane', 'TRUST_BUNDLE_BEHIND', text, 'wait; if it stays so, see its log')]
}

function rotationCheck({ rotation }: MeshTrust): readonly Check[] {
  if (rotation.phase === 'steady') return []
  const text = `the root is being replaced, and the mesh is in the phase ${rotation.phase}`
  return [warning('identity', 'ROTATION_UNFINISHED', text, 'weft identity rotate goes on from there')]
}

/** As it says itself. */
function answerChecks(key: string, { ready, deaf }: SidecarAnswer): readonly Check[] {
  if (ready === undefined)
    return [
      unasked(
        'data-plane',
        'SIDECAR_NOT_ASKED',
        `the sidecar of ${key} does not answer from here`,
        'see whether it runs; in a cluster kubectl has to be installed and allowed to port-forward',
      ),
    ]
  if (ready.status === 200)
    return deaf.map(({ address, failure }) =>
      failing(
        'data-plane',
        'APPLICATION_NOT_LISTENING',
        `the application of ${key} does not accept on ${address}: ${failure?.reason}`,
        'see whether it runs; config.weft.dev/inbound has to name its port',
      ),
    )
  return [
    failing(
      'data-plane',
      'SIDECAR_NOT_READY',
      `the sidecar of ${key} is not ready: ${ready.text.trim().replaceAll('\n', '; ')}`,
      'what is named has to be put right; its log says more',
    ),
  ]
}

function dataPlaneChecks(facts: Reached, nowMs: number): readonly Check[] {
  const { workloads, answers, trust } = facts
  const troubles = workloads.flatMap((workload) => {
    const key = `${workload.namespace}/${workload.pod}`
    const answer = answers.get(key)
    return [
      ...connectionCheck(workload),
      ...certificateCheck(workload, trust, nowMs),
      ...bundleCheck(workload, trust),
      ...(answer === undefined ? [] : answerChecks(key, answer)),
    ]
  })
  if (troubles.length > 0) return troubles
  const count = workloads.length
  const asked = answers.size > 0 ? `; ${answers.size} were asked, and are ready` : ''
  return [
    good(
      'data-plane',
      'SIDECARS_CONNECTED',
      `${count === 1 ? 'the one sidecar is' : `all ${count} sidecars are`} connected, who they should be, and have good certificates${asked}`,
    ),
  ]
}

export function meshChecks(facts: MeshFacts, clientVersion: string, nowMs: number): readonly Check[] {
  if (!facts.reached)
    return [
      failing(
        'control-plane',
        'CONTROL_PLANE_UNREACHABLE',
        facts.problem,
        'see whether it runs, and whether this is the address of its admin server',
      ),
    ]
  const { status, text } = facts.ready
  return [
    good('control-plane', 'CONTROL_PLANE_REACHABLE', 'the control plane answers'),
    status === 200
      ? good('control-plane', 'CONTROL_PLANE_READY', 'it is ready')
      : failing(
          'control-plane',
          'CONTROL_PLANE_NOT_READY',
          `it is not ready: ${text.trim()}`,
          'what is named has to be there first',
        ),
    clockCheck(facts, nowMs),
    ...rootChecks(facts.trust.roots, nowMs),
    ...rotationCheck(facts.trust),
    ...configurationChecks(facts),
    ...policyChecks(facts),
    ...versionChecks(facts, clientVersion),
    ...dataPlaneChecks(facts, nowMs),
  ]
}
