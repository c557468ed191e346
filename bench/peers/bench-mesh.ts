/** The mesh of a measurement as Kubernetes YAML: a client whose requests go to one Service. Pure. */
import { stringify } from 'yaml'
import type { Protocol } from '../peer.ts'
import { accessRules, type RuleKind } from './access-rules.ts'

export type BenchMesh = {
  /** What the Service's one endpoint listens on. */
  readonly endpointPort: number
  /** Set when a sidecar stands before the application: then its listen port is the endpoint's. */
  readonly inbound: { readonly applicationPort: number } | undefined
  readonly protocol: Protocol
  /** Of access, in front of the application. */
  readonly rules: number
  readonly ruleKind?: RuleKind
  readonly routes: number
  /** Another endpoint, and a share of the requests for a second Service: what a rollout changes, again and again. */
  readonly rollout: boolean
}

const namespace = 'bench'
const servicePort = 8080
/** Gateway API's own limit. */
const rulesPerRoute = 16

function object(apiVersion: string, kind: string, name: string, rest: object, metadata: object = {}): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest })
}

function rule(path: string, rollout: boolean): object {
  const canary = rollout ? [{ name: 'canary', port: servicePort, weight: 10 }] : []
  return {
    matches: [{ path: { type: 'PathPrefix', value: path } }],
    backendRefs: [{ name: 'app', port: servicePort, weight: 90 }, ...canary],
  }
}

/** The request's path meets the last rule. */
function routes({ routes: count, rollout }: BenchMesh): string[] {
  const others = Array.from({ length: count - 1 }, (_, i) => rule(`/other-${i}`, false))
  const rules = [...others, rule('/', rollout)]
  const parentRefs = [{ group: '', kind: 'Service', name: 'app', port: servicePort }]
  const written: string[] = []
  for (let first = 0; first < rules.length; first += rulesPerRoute) {
    const spec = { parentRefs, rules: rules.slice(first, first + rulesPerRoute) }
    written.push(
      object('gateway.networking.k8s.io/v1', 'HTTPRoute', `app-${first / rulesPerRoute}`, { spec }),
    )
  }
  return written
}

function service(name: string, protocol: Protocol): string {
  const appProtocol = protocol === 'http2' ? { appProtocol: 'kubernetes.io/h2c' } : {}
  return object('v1', 'Service', name, {
    spec: { ports: [{ name: 'http', port: servicePort, ...appProtocol }] },
  })
}

function slice(name: string, port: number, addresses: readonly string[], more: object): string {
  return object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    name,
    {
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: addresses.map((address) => ({ addresses: [address], ...more })),
    },
    { labels: { 'kubernetes.io/service-name': name } },
  )
}

function pod(name: string, annotations: Readonly<Record<string, string>>): string {
  return object('v1', 'Pod', name, { spec: { serviceAccountName: name } }, { annotations })
}

function policy({ rules, ruleKind }: BenchMesh): string {
  const targetRefs = [{ kind: 'ServiceAccount', name: 'app' }]
  return object('weft.dev/v1alpha1', 'AccessPolicy', 'app', {
    spec: { targetRefs, rules: accessRules(rules, ruleKind) },
  })
}

export function benchMeshYaml(mesh: BenchMesh): string {
  const { endpointPort, inbound, protocol, rollout } = mesh
  const target = inbound === undefined ? {} : { targetRef: { kind: 'Pod', name: 'app', namespace } }
  const addresses = ['127.0.0.1', ...(rollout ? ['127.0.0.2'] : [])]
  const applicationAnnotations: Record<string, string> =
    inbound === undefined
      ? {}
      : {
          'config.weft.dev/inbound': `127.0.0.1:${endpointPort}=${inbound.applicationPort}`,
          'weft.dev/inject': 'enabled',
        }
  return [
    service('app', protocol),
    service('canary', protocol),
    slice('app', endpointPort, addresses, target),
    slice('canary', endpointPort, ['127.0.0.2'], {}),
    pod('client', {}),
    pod('app', applicationAnnotations),
    ...routes(mesh),
    ...(mesh.rules === 0 ? [] : [policy(mesh)]),
  ].join('---\n')
}
