/** What the sidecars say about the way from A to B, beside what the control plane knows. Pure. */
import type {
  Diagnosis,
  DiagnosisStep,
  SidecarDiagnosis,
  TriedCluster,
  TriedConnection,
} from '../../api/diagnosis.ts'
import { errorCodes } from '../../core/error-codes.ts'
import type { SidecarConfig } from '../sidecar-config.ts'

/** What was asked of the client's sidecar; undefined: it did not answer. */
export type ClientView = { readonly config: SidecarConfig; readonly tried: SidecarDiagnosis } | undefined

/** A sidecar behind which the application was tried. */
export type ServerView = { readonly workload: string; readonly tried: TriedConnection | null | undefined }

function hintOf(code: string): string {
  return (errorCodes as Readonly<Record<string, { readonly hint: string } | undefined>>)[code]?.hint ?? ''
}

function identitySteps({ identity }: SidecarConfig, nowMs: number): readonly DiagnosisStep[] {
  const step = (id: string, message: string): DiagnosisStep => ({
    place: 'sidecar',
    id,
    outcome: 'fails',
    message,
    hint: "see in the sidecar's log why the control plane gives it no certificate",
  })
  if (identity === null)
    return [step('NOT_ENROLLED', 'the client has no certificate: no meshed endpoint takes it')]
  if (Date.parse(identity.notAfter) <= nowMs)
    return [step('CERTIFICATE_EXPIRED', `the client's certificate ended at ${identity.notAfter}`)]
  return []
}

/** Resources of another version than the control plane has now. */
function outdated(
  { resources }: Pick<Diagnosis, 'resources'>,
  config: SidecarConfig,
): readonly DiagnosisStep[] {
  const held = new Map(config.resources.map(({ kind, name, version }) => [`${kind} ${name}`, version]))
  const behind = resources.filter(({ kind, name, version }) => held.get(`${kind} ${name}`) !== version)
  if (behind.length === 0)
    return [
      {
        place: 'sidecar',
        id: 'CONFIG_IN_FORCE',
        outcome: 'ok',
        message: 'the client holds what the control plane has now',
        hint: '',
      },
    ]
  return [
    {
      place: 'sidecar',
      id: 'CONFIG_OUT_OF_DATE',
      outcome: 'warning',
      message: `the client holds another version of ${behind.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`,
      hint: 'ask again in a second; if it stays so, see whether the sidecar is connected or refuses it',
    },
  ]
}

function nameSteps(diagnosis: Diagnosis, { destination }: SidecarDiagnosis): readonly DiagnosisStep[] {
  if (destination === null || destination.state === 'known') return []
  const expected = diagnosis.steps.some(({ id }) => id === 'NAME_KNOWN')
  if (!expected && destination.state === 'unknown') return []
  return [
    {
      place: 'sidecar',
      id: destination.state === 'unknown' ? 'NAME_UNKNOWN_TO_SIDECAR' : 'NAME_NOT_ANSWERED',
      outcome: 'fails',
      message: `the client's sidecar does not know ${destination.name}: ${destination.state === 'unknown' ? 'the control plane told it that there is none' : 'the control plane does not answer'}`,
      hint: 'see whether it is connected, and to the control plane that was asked',
    },
  ]
}

/** One step for each reason. */
function connectionSteps(connections: readonly TriedConnection[]): readonly DiagnosisStep[] {
  const failed = connections.flatMap(({ address, failure }) =>
    failure === null ? [] : [{ address, ...failure }],
  )
  if (connections.length > 0 && failed.length === 0)
    return [
      {
        place: 'endpoint',
        id: 'ENDPOINTS_ACCEPT',
        outcome: 'ok',
        message: `the client connects to ${connections.map(({ address }) => address).join(', ')}`,
        hint: '',
      },
    ]
  const outcome = failed.length === connections.length ? 'fails' : 'warning'
  return failed.map(({ address, code, reason }) => ({
    place: code.startsWith('UPSTREAM_') ? 'endpoint' : 'identity',
    id: code,
    outcome,
    message: `the client does not connect to ${address}: ${reason}`,
    hint: hintOf(code),
  }))
}

/** A host outside of the mesh that the client's own look-ups do not find. */
function hostSteps({ backends }: Diagnosis, { name, connections }: TriedCluster): readonly DiagnosisStep[] {
  const host = backends.find(({ cluster }) => cluster === name)?.host ?? null
  if (host === null || connections.length > 0) return []
  return [
    {
      place: 'endpoint',
      id: 'NAME_UNRESOLVED',
      outcome: 'fails',
      message: `the client finds no address for ${host}: 503`,
      hint: hintOf('NAME_UNRESOLVED'),
    },
  ]
}

/** Endpoints that accept connections, and have failed so many requests that none are sent to them. */
function ejectionSteps({ name, connections, panicking }: TriedCluster): readonly DiagnosisStep[] {
  const ejected = connections.filter(({ state }) => state === 'ejected').map(({ address }) => address)
  if (ejected.length === 0) return []
  const all = ejected.length === connections.length
  const overlooked = panicking ? '; so many are that they are sent to all the same' : ''
  return [
    {
      place: 'endpoint',
      id: 'ENDPOINTS_EJECTED',
      outcome: all && !panicking ? 'fails' : 'warning',
      message: `the client has put ${ejected.length} of ${connections.length} endpoints of ${name} out of use for failing its requests (${ejected.join(', ')})${overlooked}`,
      hint: 'see what the application answers, and in the TrafficPolicy when outlier detection lets it come back',
    },
  ]
}

/** A circuit breaker that is open, or was. */
function limitSteps({ name, load }: TriedCluster): readonly DiagnosisStep[] {
  if (load === null) return []
  const { requests, maxRequests, waiting, maxPending, turnedAway } = load
  const open = requests >= maxRequests || (waiting >= maxPending && waiting > 0)
  if (!open && turnedAway === 0) return []
  const now = `${requests} of ${maxRequests} requests under way, ${waiting} of ${maxPending} waiting`
  return [
    {
      place: 'endpoint',
      id: open ? 'CIRCUIT_OPEN' : 'CIRCUIT_WAS_OPEN',
      outcome: open ? 'fails' : 'warning',
      message: `${name} ${open ? 'is as full as its limits allow' : 'has room now'} (${now}); the client has answered ${turnedAway} requests with 503 for that`,
      hint: 'raise the limits of connectionPool in its TrafficPolicy, or add endpoints',
    },
  ]
}

export function clientSteps(diagnosis: Diagnosis, view: ClientView, nowMs: number): readonly DiagnosisStep[] {
  if (diagnosis.sidecar === null) return []
  if (view === undefined)
    return [
      {
        place: 'sidecar',
        id: 'SIDECAR_NOT_ASKED',
        outcome: 'unknown',
        message: "the client's sidecar cannot be asked from here: only what the control plane knows is shown",
        hint: 'see whether its admin page answers; in a cluster kubectl has to be installed and allowed to port-forward',
      },
    ]
  const { config, tried } = view
  const wanted = new Set(
    diagnosis.backends.filter(({ sharePercent }) => sharePercent > 0).map(({ cluster }) => cluster),
  )
  const clusters = tried.clusters.filter(({ name }) => wanted.has(name))
  // Where there are several backends, one that takes nothing fails its share alone.
  const ofShare = (step: DiagnosisStep): DiagnosisStep =>
    clusters.length > 1 && step.outcome === 'fails' ? { ...step, outcome: 'warning' } : step
  return [
    ...identitySteps(config, nowMs),
    ...nameSteps(diagnosis, tried),
    ...outdated(diagnosis, config),
    ...connectionSteps(clusters.flatMap(({ connections }) => connections)),
    ...clusters
      .flatMap((cluster) => [
        ...hostSteps(diagnosis, cluster),
        ...ejectionSteps(cluster),
        ...limitSteps(cluster),
      ])
      .map(ofShare),
  ]
}

function unaskedSteps(views: readonly ServerView[]): readonly DiagnosisStep[] {
  const silent = views.filter(({ tried }) => tried == null).map(({ workload }) => workload)
  if (silent.length === 0) return []
  return [
    {
      place: 'application',
      id: 'APPLICATION_NOT_ASKED',
      outcome: 'unknown',
      message: `not known whether the application of ${silent.join(', ')} listens: its sidecar does not answer from here`,
      hint: 'see whether it runs; in a cluster kubectl has to be allowed to port-forward',
    },
  ]
}

export function serverSteps(views: readonly ServerView[]): readonly DiagnosisStep[] {
  const unasked = unaskedSteps(views)
  const answered = views.flatMap(({ workload, tried }) => (tried == null ? [] : [{ workload, tried }]))
  const failed = answered.filter(({ tried }) => tried.failure !== null)
  if (answered.length > 0 && failed.length === 0)
    return [
      {
        place: 'application',
        id: 'APPLICATION_LISTENS',
        outcome: 'ok',
        message:
          unasked.length === 0 ? 'the applications accept connections' : 'the others accept connections',
        hint: '',
      },
      ...unasked,
    ]
  const deaf = failed.map(
    ({ workload, tried }): DiagnosisStep => ({
      place: 'application',
      id: 'APPLICATION_NOT_LISTENING',
      outcome: failed.length === views.length ? 'fails' : 'warning',
      message: `the application of ${workload} does not accept on ${tried.address}: ${tried.failure?.reason ?? ''}`,
      hint: 'start it, or let the containerPort and the targetPort name the port that it listens on',
    }),
  )
  return [...deaf, ...unasked]
}
