/** `weft config`: what one sidecar holds, in tables. */
import type { SidecarFacts } from '../api/diagnosis.ts'
import { WeftError } from '../core/errors.ts'
import type { Screen } from './output.ts'
import { type Table, tableText } from './text-table.ts'
import { type MeshAccess, readSidecarPage } from './reach/mesh-access.ts'
import { findPod } from './reach/find-pod.ts'
import { readWorkloads } from './reach/workloads.ts'
import type { SidecarCluster, SidecarConfig, SidecarRule } from './sidecar-config.ts'

export const configSections = ['listeners', 'routes', 'clusters', 'endpoints', 'certificate'] as const
export type ConfigSection = (typeof configSections)[number]

/** Throws CONFIG_INVALID. */
export function sectionOf(text: string | undefined): ConfigSection | undefined {
  const section = configSections.find((one) => one === text)
  if (text !== undefined && section === undefined)
    throw new WeftError('CONFIG_INVALID', `'${text}' is none of ${configSections.join(', ')}`)
  return section
}

export type HeldConfig = {
  readonly sidecar: SidecarFacts
  readonly config: SidecarConfig
  readonly clusters: readonly SidecarCluster[]
}

/** The sidecar of `POD`, `NAMESPACE/POD` or `KIND/NAME`. Rejects with RESOURCE_UNKNOWN or SIDECAR_NOT_READY. */
export async function readHeldConfig(
  access: MeshAccess,
  pod: string,
  namespace: string | undefined,
): Promise<HeldConfig> {
  const key = await findPod(access, pod, namespace)
  const sidecars = await readWorkloads(access)
  const workload = sidecars.find((one) => `${one.namespace}/${one.pod}` === key)
  if (workload === undefined)
    throw new WeftError(
      'RESOURCE_UNKNOWN',
      `no pod ${key} has a sidecar; weft identity lists those that have`,
    )
  const { sidecar } = workload
  if (sidecar === null) throw new WeftError('SIDECAR_NOT_READY', `the sidecar of ${key} is not connected`)
  const config = await readSidecarPage<SidecarConfig>(access, sidecar, '/config')
  const clusters = await readSidecarPage<readonly SidecarCluster[]>(access, sidecar, '/clusters')
  if (config === undefined || clusters === undefined)
    throw new WeftError(
      'SIDECAR_NOT_READY',
      `the sidecar of ${key} does not answer from here; in a cluster that takes kubectl, and the right to forward ports to its pod`,
    )
  return { sidecar, config, clusters }
}

function listeners({ config }: HeldConfig): Table {
  const inbound = config.inbound.map(({ listen, applicationPort, protocol }) => [
    'inbound',
    listen === undefined ? 'redirected' : `${listen.host}:${listen.port}`,
    `application ${applicationPort}`,
    protocol,
  ])
  const outbound = Object.entries(config.destinations).map(([name, { state, tcp }]) => [
    'outbound',
    name,
    state,
    tcp === undefined ? 'requests' : 'requests, connections',
  ])
  return { columns: ['DIRECTION', 'NAME', 'LEADS TO', 'TAKES'], rows: [...inbound, ...outbound] }
}

function matchText({ match }: SidecarRule): string {
  const { path, headers = [], query = [] } = match
  const conditions = [...headers, ...query].map(({ name, match: value }) => `${name}=${value.value ?? '*'}`)
  const where =
    path.kind === 'exact'
      ? path.value
      : path.kind === 'regex'
        ? `~${path.value}`
        : `${path.value.replace(/\/$/, '')}/*`
  return [where, ...conditions].join(' ')
}

function actionText({ action }: SidecarRule): string {
  if (action.kind !== 'forward') return action.kind
  return (action.clusters ?? []).map(({ cluster, weight }) => `${shortCluster(cluster)} ${weight}`).join(', ')
}

function shortCluster(name: string): string {
  return name.replace('.svc.cluster.local', '')
}

function routes({ config }: HeldConfig): Table {
  const rows = Object.entries(config.destinations).flatMap(([destination, { hosts }]) =>
    hosts.flatMap(({ rules }) =>
      rules.map((rule) => [
        destination,
        rule.name,
        matchText(rule),
        actionText(rule),
        rule.timeoutMs === undefined ? '' : `${rule.timeoutMs} ms`,
      ]),
    ),
  )
  const columns = ['DESTINATION', 'RULE', 'MATCH', 'BACKENDS AND WEIGHTS', 'TIMEOUT']
  return { columns, rows, spare: ['TIMEOUT', 'RULE', 'MATCH'] }
}

function clusters({ clusters: held }: HeldConfig): Table {
  const rows = held.map(({ name, balancer, endpoints, panicking }) => [
    shortCluster(name),
    balancer,
    String(endpoints.length),
    String(endpoints.filter(({ state }) => state === 'in-use').length),
    panicking ? 'panicking' : '',
  ])
  return { columns: ['CLUSTER', 'BALANCER', 'ENDPOINTS', 'IN USE', 'REMARK'], rows, spare: ['BALANCER'] }
}

function endpoints({ clusters: held }: HeldConfig): Table {
  const rows = held.flatMap(({ name, endpoints: list }) =>
    list.map((endpoint) => [
      shortCluster(name),
      endpoint.address,
      endpoint.state,
      endpoint.meshed ? 'mTLS' : 'clear',
      String(endpoint.inFlight),
      `${endpoint.latencyMs.toFixed(1)} ms`,
      endpoint.zone,
      endpoint.identity ?? '',
    ]),
  )
  const columns = ['CLUSTER', 'ADDRESS', 'STATE', 'BY', 'IN FLIGHT', 'LATENCY', 'ZONE', 'IDENTITY']
  return { columns, rows, spare: ['ZONE', 'LATENCY', 'IN FLIGHT', 'IDENTITY'] }
}

function certificate({ config }: HeldConfig): Table {
  const { identity } = config
  const rows = identity === null ? [] : [[identity.principal, identity.notAfter, identity.trustBundle]]
  return { columns: ['IDENTITY', 'VALID UNTIL', 'TRUST BUNDLE'], rows }
}

const tables: Readonly<Record<ConfigSection, (held: HeldConfig) => Table>> = {
  listeners,
  routes,
  clusters,
  endpoints,
  certificate,
}

/** One section, or all of them with their names. */
export function configText(
  held: HeldConfig,
  section: ConfigSection | undefined,
  screen: Screen,
  wide: boolean,
): string {
  const one = (name: ConfigSection): string => {
    const table = tables[name](held)
    return table.rows.length === 0 ? `no ${name}\n` : tableText(table, screen, wide)
  }
  if (section !== undefined) return one(section)
  return configSections.map((name) => `${name}\n${one(name)}`).join('\n')
}

export function configData(held: HeldConfig, section: ConfigSection | undefined): object {
  const { config, clusters: list } = held
  switch (section) {
    case undefined:
      return { ...config, clusters: list }
    case 'listeners':
      return { inbound: config.inbound, destinations: Object.keys(config.destinations) }
    case 'routes':
      return config.destinations
    case 'clusters':
    case 'endpoints':
      return list
    case 'certificate':
      return config.identity ?? {}
  }
}
