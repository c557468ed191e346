/** The demo's mesh as Kubernetes YAML: what a user would write, with the ports that are free on this machine. Pure. */
import { parse, stringify } from 'yaml'

export type DemoPod = {
  readonly name: string
  readonly serviceAccount: string
  /** Services that it serves. */
  readonly services: readonly string[]
  readonly listenPort: number
  readonly applicationPort: number
  /** Where clients connect: the listen port, or a relay in front of it. */
  readonly publishedPort: number
}

export const namespace = 'shop'
const servicePort = 8080

function document(
  apiVersion: string,
  kind: string,
  name: string,
  rest: object,
  metadata: object = {},
): string {
  return stringify({
    apiVersion,
    kind,
    metadata: { name, ...(kind === 'Namespace' ? {} : { namespace }), ...metadata },
    ...rest,
  })
}

/** Everything but the split, which the story rewrites again and again. */
export function meshYaml(pods: readonly DemoPod[]): string {
  const services = [...new Set(pods.flatMap((pod) => pod.services))]
  const documents = [
    document('v1', 'Namespace', namespace, {}, { annotations: { 'weft.dev/inject': 'enabled' } }),
    ...services.map((name) =>
      document('v1', 'Service', name, { spec: { ports: [{ name: 'http', port: servicePort }] } }),
    ),
    ...[...new Set(pods.map((pod) => pod.serviceAccount))].map((name) =>
      document('v1', 'ServiceAccount', name, {}),
    ),
    ...pods.map((pod) =>
      document(
        'v1',
        'Pod',
        pod.name,
        {
          spec: {
            serviceAccountName: pod.serviceAccount,
            containers: [{ name: 'app', ports: [{ containerPort: pod.applicationPort }] }],
          },
        },
        {
          labels: { 'weft.dev/deployment': pod.serviceAccount },
          annotations: { 'config.weft.dev/inbound': `127.0.0.1:${pod.listenPort}=${pod.applicationPort}` },
        },
      ),
    ),
    ...pods.flatMap((pod) => pod.services.map((service) => slice(pod, service))),
  ]
  return documents.join('---\n')
}

function slice(pod: DemoPod, service: string): string {
  return document(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    `${service}-${pod.name}`,
    {
      addressType: 'IPv4',
      ports: [{ name: 'http', port: pod.publishedPort }],
      endpoints: [
        {
          addresses: ['127.0.0.1'],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', name: pod.name, namespace },
        },
      ],
    },
    { labels: { 'kubernetes.io/service-name': service } },
  )
}

/** The paths by which an application of the demo is told to fail, and to be well again. */
export const switchPaths = ['/fail', '/recover'] as const

/** Who may call whom: nobody switches an application through the mesh, and who asks `inventory` for v2 is written down. */
export function accessYaml(): string {
  const policy = (name: string, target: object, rule: object): string =>
    document('weft.dev/v1alpha1', 'AccessPolicy', name, { spec: { targetRefs: [target], rules: [rule] } })
  return [
    policy(
      'switches',
      { kind: 'Namespace', name: namespace },
      { name: 'nobody', action: 'deny', to: [{ paths: switchPaths }] },
    ),
    policy(
      'trial',
      { kind: 'ServiceAccount', name: 'inventory' },
      { name: 'without-v2', action: 'audit', from: [{ serviceAccounts: ['catalog-v2'] }] },
    ),
  ].join('---\n')
}

export type Weights = { readonly v1: number; readonly v2: number }

/** The steps of the canary. */
export const splitSteps = [
  { v1: 90, v2: 10 },
  { v1: 50, v2: 50 },
  { v1: 0, v2: 100 },
] as const satisfies readonly Weights[]

export function splitYaml({ v1, v2 }: Weights): string {
  const backends = [
    { service: 'catalog-v1', weight: v1 },
    { service: 'catalog-v2', weight: v2 },
  ]
  return document('split.smi-spec.io/v1alpha2', 'TrafficSplit', 'catalog', {
    spec: { service: 'catalog', backends },
  })
}

/** The weights in the file, which people may have edited; undefined while it does not say them. */
export function weightsIn(yaml: string): Weights | undefined {
  try {
    const split = parse(yaml) as { spec: { backends: { service: string; weight: number }[] } }
    const weights = new Map(split.spec.backends.map(({ service, weight }) => [service, Number(weight)]))
    const [v1, v2] = [weights.get('catalog-v1') ?? 0, weights.get('catalog-v2') ?? 0]
    return v1 + v2 > 0 ? { v1, v2 } : undefined
  } catch {
    // In the middle of an edit; the sidecars keep to the last good content, and so does what is shown.
    return undefined
  }
}
