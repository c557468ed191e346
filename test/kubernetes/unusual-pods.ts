/** Pods of a meshed namespace that are out of the ordinary, and what is to become of each. */

type Container = {
  readonly name: string
  readonly resources?: object
  readonly securityContext?: { readonly runAsUser?: number }
}
export type MadePod = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly volumes?: readonly { readonly name: string }[]
    readonly [field: string]: unknown
  }
}

export type UnusualPod = {
  readonly what: string
  readonly metadata?: object
  readonly container?: object
  readonly spec?: object
  /** Part of why it is refused. */
  readonly refused?: string | RegExp
  /** Of one that is not: what it has to be. */
  readonly made?: (pod: MadePod) => boolean
}

export function hasSidecar({ spec }: MadePod): boolean {
  return [...(spec.initContainers ?? []), ...spec.containers].some(({ name }) => name === 'weft-proxy')
}

const annotations = (more: Readonly<Record<string, string>>): object => ({ annotations: more })

export const unusualPods: readonly UnusualPod[] = [
  { what: 'whose containers see the processes of each other', spec: { shareProcessNamespace: true } },
  {
    what: 'without a token of its ServiceAccount: the sidecar has its own',
    spec: { automountServiceAccountToken: false },
    made: ({ spec }) =>
      spec.volumes?.map(({ name }) => name).join() === 'weft-identity,weft-state' && 'initContainers' in spec,
  },
  {
    what: 'with names in /etc/hosts',
    spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }] },
    made: ({ spec }) => JSON.stringify(spec['hostAliases']).includes('db'),
  },
  {
    what: "with UDP on a port of the sidecar's",
    container: { ports: [{ containerPort: 4191, protocol: 'UDP' }] },
  },
  {
    what: "with TCP on a port of the sidecar's",
    container: { ports: [{ containerPort: 4191 }] },
    refused: 'uses port 4191',
  },
  {
    what: "one of whose containers runs as the sidecar's user",
    container: { securityContext: { runAsUser: 2102 } },
    refused: "container 'app' runs as user 2102",
  },
  {
    what: "one of whose init containers runs as the sidecar's user",
    spec: { initContainers: [{ name: 'first', image: 'app', securityContext: { runAsUser: 2102 } }] },
    refused: "container 'first' runs as user 2102",
  },
  {
    what: 'whose sidecar is another user, as it asks',
    metadata: annotations({ 'config.weft.dev/proxy-uid': '2200' }),
    container: { securityContext: { runAsUser: 2102 } },
    made: ({ spec }) =>
      spec.initContainers?.find(({ name }) => name === 'weft-proxy')?.securityContext?.runAsUser === 2200,
  },
  {
    what: 'with a container of a name that is needed',
    spec: { initContainers: [{ name: 'weft-init', image: 'app' }] },
    refused: "container 'weft-init' has the name of one of the sidecar's",
  },
  {
    what: 'with a volume of a name that is needed',
    spec: { volumes: [{ name: 'weft-state', emptyDir: {} }] },
    refused: "volume 'weft-state' has the name of one of the sidecar's",
  },
  {
    what: 'with annotations that do not read: all of them are named',
    metadata: annotations({
      'config.weft.dev/proxy-log-level': 'loud',
      'config.weft.dev/skip-inbound-ports': '80-22',
      'config.weft.dev/admin-port': '0x10',
    }),
    refused: /proxy-log-level.*skip-inbound-ports.*admin-port/,
  },
  {
    what: 'with a misspelt wish',
    metadata: annotations({ 'weft.dev/inject': 'true' }),
    refused: "weft.dev/inject of the pod is 'true', not 'enabled' or 'disabled'",
  },
  {
    what: 'with a name of a port that is too long: the API server says so itself',
    container: { ports: [{ name: 'a-name-of-17-bytes', containerPort: 80 }] },
    refused: 'must be no more than 15 characters',
  },
  {
    what: 'that asks for resources as a whole',
    spec: { resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '64Mi' } } },
    container: { resources: { requests: { cpu: '100m', memory: '64Mi' } } },
  },
  {
    what: 'on Windows',
    spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } },
    made: (pod) => !hasSidecar(pod),
  },
  {
    what: 'nearly as large as etcd takes',
    container: {
      env: Array.from({ length: 1_300 }, (_, i) => ({ name: `V${i}`, value: 'x'.repeat(1_000) })),
    },
  },
]

/** The manifest, of which only a name is to be made. */
export function manifestOf({ metadata, container, spec }: UnusualPod): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'unusual-', ...metadata },
    spec: { containers: [{ name: 'app', image: 'app', ...container }], ...spec },
  }
}
