/** Tries on request what exchanges do: asks for a name, connects to its endpoints, and to the application. */
import type { ClusterLoad, SidecarDiagnosis, TriedCluster, TriedConnection } from '../../api/diagnosis.ts'
import { destinationName } from '../../api/xds/destination-name.ts'
import type { AdminReply, AdminServer } from '../../core/admin-server.ts'
import { formatAddress } from '../../core/address.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf, toWeftError } from '../../core/errors.ts'
import type { ApplicationAddresses } from '../application-addresses.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Discovery } from '../config-sink.ts'
import type { DataPath } from '../data-path.ts'
import { dialInTurn, dialPlain } from '../pool/dial.ts'
import { UpstreamFailure } from '../upstream-failure.ts'

export type DiagnoseParts = {
  readonly dataPath: Pick<DataPath, 'clusters' | 'tryEndpoint'>
  readonly discovery: Discovery
  readonly clustersOf: (destination: string) => readonly string[]
  readonly namespace: string
  readonly clock: Clock
  /** Where it is asked for, the first of them as what is told. */
  readonly application: ApplicationAddresses
}

const connectTimeoutMs = 1_000
/** Of a cluster: more would take long, and say no more. */
const maxTried = 16

function failureOf(error: unknown): NonNullable<TriedConnection['failure']> {
  const code = error instanceof UpstreamFailure ? error.code : toWeftError(error).code
  return { code, reason: reasonOf(error) }
}

async function tried(
  facts: Omit<TriedConnection, 'failure'>,
  dial: () => Promise<unknown>,
): Promise<TriedConnection> {
  try {
    await dial()
    return { ...facts, failure: null }
  } catch (error) {
    return { ...facts, failure: failureOf(error) }
  }
}

function loadOf({ breaker }: Cluster): ClusterLoad | null {
  if (breaker === undefined) return null
  const { requests, pending, limits, overflows } = breaker
  const turnedAway = overflows.requests + overflows.pending + overflows['queue-timeout']
  return {
    requests,
    maxRequests: limits.maxRequests,
    waiting: pending,
    maxPending: limits.maxPending,
    turnedAway,
  }
}

async function tryCluster(cluster: Cluster, dataPath: DiagnoseParts['dataPath']): Promise<TriedCluster> {
  const { name, panicking } = cluster
  // Before anything is tried: a connection that is accepted says nothing of requests.
  const load = loadOf(cluster)
  const connections = await Promise.all(
    cluster.endpoints.slice(0, maxTried).map((endpoint) => {
      const { address, health, config } = endpoint
      return tried({ address, state: health.state, meshed: config.meshed }, () =>
        dataPath.tryEndpoint(config, cluster.config),
      )
    }),
  )
  return { name, connections, panicking, load }
}

async function tryDestination(
  parts: DiagnoseParts,
  to: string,
): Promise<Omit<SidecarDiagnosis, 'application'>> {
  const { dataPath, discovery, clustersOf, namespace } = parts
  const name = destinationName(to, namespace)
  const state = await discovery.resolve(name)
  const clusters = clustersOf(name).flatMap((cluster) => dataPath.clusters.get(cluster) ?? [])
  const tries = await Promise.all(clusters.map((cluster) => tryCluster(cluster, dataPath)))
  return { destination: { name, state }, clusters: tries }
}

function tryApplication(port: number, { clock, application }: DiagnoseParts): Promise<TriedConnection> {
  const facts = {
    address: formatAddress({ host: application[0].host, port }),
    state: null,
    meshed: false,
  }
  return tried(facts, async () => {
    const wire = await dialInTurn(application, ({ host, from }) =>
      dialPlain(host, port, connectTimeoutMs, clock, from),
    )
    wire.destroy()
  })
}

/** Adds POST /diagnose: `to=HOST:PORT` tries a destination, `application=PORT` what is behind this sidecar. */
export function addDiagnose(admin: AdminServer, parts: DiagnoseParts): void {
  admin.page('POST', '/diagnose', async ({ query }): Promise<AdminReply> => {
    const [to, application] = [query.get('to'), query.get('application')]
    const port = Number(application ?? 0)
    if (!Number.isInteger(port) || port < 0 || port > 65_535 || (to === null && application === null))
      return { status: 400, body: 'say to=HOST:PORT, application=PORT or both\n' }
    const found = to === null ? { destination: null, clusters: [] } : await tryDestination(parts, to)
    const answer: SidecarDiagnosis = {
      ...found,
      application: application === null ? null : await tryApplication(port, parts),
    }
    return { body: answer }
  })
}
