/** The mesh of a measurement as Kubernetes YAML: a client whose requests go to one Service. Pure. */
import { stringify } from 'yaml'

export type BenchMesh = {
  /** What the Service's one endpoint listens on. */
  readonly endpointPort: number
  /** Set when a sidecar stands before the application: then its listen port is the endpoint's. */
  readonly inbound: { readonly applicationPort: number } | undefined
  readonly routes: number
}

const namespace = 'bench'
const apiGroup = 'gateway.networking.k8s.io/v1'
const servicePort = 8080

function object(apiVersion: string, kind: string, name: string, rest: object, metadata: object = {}): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest })
}

/** The request's path meets the last of the route's rules. A route holds at most 16 rules, so there are several. */
const rulesPerRoute = 16

function rule(type: 'Exact' | 'PathPrefix', value: string): object {
  return { matches: [{ path: { type, value } }], backendRefs: [{ name: 'app', port: servicePort }] }
}

function routes(count: number): string[] {
  const others = Array.from({ length: count - 1 }, (_, i) => rule('PathPrefix', `/other-${i}`))
  const rules = [...others, rule('PathPrefix', '/')]
  const parentRefs = [{ group: '', kind: 'Service', name: 'app', port: servicePort }]
  const written: string[] = []
  for (let first = 0; first < rules.length; first += rulesPerRoute) {
    const spec = { parentRefs, rules: rules.slice(first, first + rulesPerRoute) }
    written.push(object(apiGroup, 'HTTPRoute', `app-${first / rulesPerRoute}`, { spec }))
  }
  return written
}

export function benchMeshYaml({ endpointPort, inbound, routes: count }: BenchMesh): string {
  const targetRef = { kind: 'Pod', name: 'app', namespace }
  const endpoint = { addresses: ['127.0.0.1'], ...(inbound === undefined ? {} : { targetRef }) }
  const pods = [object('v1', 'Pod', 'client', { spec: { serviceAccountName: 'client' } })]
  if (inbound !== undefined) {
    const annotations = { 'config.weft.dev/inbound': `127.0.0.1:${endpointPort}=${inbound.applicationPort}` }
    pods.push(
      object(
        'v1',
        'Pod',
        'app',
        { spec: { serviceAccountName: 'app' } },
        { annotations: { ...annotations, 'weft.dev/inject': 'enabled' } },
      ),
    )
  }
  return [
    object('v1', 'Service', 'app', { spec: { ports: [{ name: 'http', port: servicePort }] } }),
    object(
      'discovery.k8s.io/v1',
      'EndpointSlice',
      'app',
      { addressType: 'IPv4', ports: [{ name: 'http', port: endpointPort }], endpoints: [endpoint] },
      { labels: { 'kubernetes.io/service-name': 'app' } },
    ),
    ...pods,
    ...routes(count),
  ].join('---\n')
}
