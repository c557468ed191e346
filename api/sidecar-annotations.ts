/**
 * `config.weft.dev/*` on a Pod, or on its Namespace for all of its Pods; the Pod wins. Read like the settings of a
 * process, with the annotation in the place of the variable.
 */
import type { SettingsTable } from '../core/settings.ts'
import { inboundPolicies } from './annotations.ts'
import { ports, sidecarUid } from './ports.ts'

export const sidecarAnnotationPrefix = 'config.weft.dev/'

/** Each goes to the sidecar as the flag of `weft proxy`. */
export const proxyAnnotations = {
  logLevel: {
    flag: '--log-level',
    env: 'config.weft.dev/proxy-log-level',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    help: 'how much the sidecar logs',
  },
  metricAliases: {
    flag: '--metric-aliases',
    env: 'config.weft.dev/metric-aliases',
    kind: 'choice',
    choices: ['off', 'osm', 'istio', 'all'],
    help: 'shows the golden metrics under the names of OSM and Istio too',
  },
  accessLog: {
    flag: '--access-log',
    env: 'config.weft.dev/access-log',
    kind: 'choice',
    choices: ['off', 'json', 'apache'],
    help: 'one line per exchange',
  },
  accessLogFilter: {
    flag: '--access-log-filter',
    env: 'config.weft.dev/access-log-filter',
    kind: 'choice',
    choices: ['all', 'sampled', 'errors'],
    help: 'which exchanges get a line: all, those whose trace is sampled, or those that failed',
  },
  outboundPolicy: {
    flag: '--outbound-policy',
    env: 'config.weft.dev/outbound-policy',
    kind: 'choice',
    choices: ['allow', 'deny'],
    help: 'what becomes of destinations that the mesh does not know',
  },
  detectTimeout: {
    flag: '--detect-timeout',
    env: 'config.weft.dev/detect-timeout',
    kind: 'durationMs',
    help: 'how long bytes may be too few to tell their protocol before they are opaque',
  },
  headTimeout: {
    flag: '--head-timeout',
    env: 'config.weft.dev/head-timeout',
    kind: 'durationMs',
    min: 1,
    help: "from the first byte of a request's head to its last",
  },
  idleTimeout: {
    flag: '--idle-timeout',
    env: 'config.weft.dev/idle-timeout',
    kind: 'durationMs',
    min: 1,
    help: 'how long a client connection is kept between requests',
  },
  streamIdleTimeout: {
    flag: '--stream-idle-timeout',
    env: 'config.weft.dev/stream-idle-timeout',
    kind: 'durationMs',
    min: 1,
    help: 'how long a request body may pause, and a client not read what is sent to it',
  },
  maxConnections: {
    flag: '--max-connections',
    env: 'config.weft.dev/max-connections',
    kind: 'integer',
    min: 1,
    help: 'client connections at a time',
  },
  overloadLag: {
    flag: '--overload-lag',
    env: 'config.weft.dev/overload-lag',
    kind: 'durationMs',
    help: 'how late the event loop has to be for new requests to be refused; 0: never',
  },
  decisionHeaders: {
    flag: '--decision-headers',
    env: 'config.weft.dev/decision-headers',
    kind: 'boolean',
    help: 'replies name the route and the backend that were chosen',
  },
  tracing: {
    flag: '--tracing',
    env: 'config.weft.dev/tracing',
    kind: 'boolean',
    help: 'trace contexts are continued or begun; false: they pass untouched, and no spans are sent',
  },
  zipkinUrl: {
    flag: '--zipkin-url',
    env: 'config.weft.dev/zipkin-url',
    kind: 'url',
    help: 'Zipkin collector',
  },
  otlpUrl: {
    flag: '--otlp-url',
    env: 'config.weft.dev/otlp-url',
    kind: 'url',
    help: 'OpenTelemetry collector (OTLP over HTTP, JSON)',
  },
  traceSampling: {
    flag: '--trace-sampling',
    env: 'config.weft.dev/trace-sampling',
    kind: 'number',
    min: 0,
    max: 1,
    help: 'share of the traces begun here that are sampled',
  },
  drainDelay: {
    flag: '--drain-delay',
    env: 'config.weft.dev/drain-delay',
    kind: 'durationMs',
    help: 'how long new connections are still taken after SIGTERM',
  },
  drainDeadline: {
    flag: '--drain-deadline',
    env: 'config.weft.dev/shutdown-grace-period',
    kind: 'durationMs',
    help: 'when what is still in flight is cut',
  },
} as const satisfies SettingsTable

/** Each goes to `weft init` as its flag. */
export const initAnnotations = {
  skipInboundPorts: {
    flag: '--skip-inbound-ports',
    env: 'config.weft.dev/skip-inbound-ports',
    kind: 'ports',
    help: 'ports of the workload that are reached past the sidecar, e.g. 25,4567-4568',
  },
  skipOutboundPorts: {
    flag: '--skip-outbound-ports',
    env: 'config.weft.dev/skip-outbound-ports',
    kind: 'ports',
    help: 'ports that the workload reaches past its sidecar',
  },
  skipSubnets: {
    flag: '--skip-subnets',
    env: 'config.weft.dev/skip-subnets',
    kind: 'subnets',
    help: 'networks that the workload reaches past its sidecar, e.g. 10.1.0.0/16,fd00::/8',
  },
  skipInterfaces: {
    flag: '--skip-interfaces',
    env: 'config.weft.dev/skip-interfaces',
    kind: 'interfaces',
    help: 'network interfaces whose connections pass the sidecar in both directions, e.g. eth1,net+',
  },
  iptables: {
    flag: '--iptables',
    env: 'config.weft.dev/iptables',
    kind: 'choice',
    choices: ['default', 'nft', 'legacy'],
    help: 'which iptables sets the rules',
  },
} as const satisfies SettingsTable

const port = (name: 'inbound' | 'outbound' | 'admin', number: number, help: string) =>
  ({
    flag: `--${name}-port`,
    env: `config.weft.dev/${name}-port`,
    kind: 'port',
    default: String(number),
    help,
  }) as const

const quantity = (name: string, help: string) =>
  ({ flag: `--${name}`, env: `config.weft.dev/${name}`, kind: 'string', help }) as const

/** What the injector itself heeds. */
export const podAnnotations = {
  nativeSidecar: {
    flag: '--native-sidecar',
    env: 'config.weft.dev/native-sidecar',
    kind: 'boolean',
    default: 'true',
    help: 'an init container that goes on running (Kubernetes 1.29): it starts before all others, ends after them, and lets a Job complete; false: a container among the others',
  },
  interception: {
    flag: '--interception',
    env: 'config.weft.dev/interception',
    kind: 'choice',
    choices: ['init', 'cni'],
    help: 'who redirects connections: an init container with NET_ADMIN, or a CNI plugin on the node',
  },
  rewriteProbes: {
    flag: '--rewrite-probes',
    env: 'config.weft.dev/rewrite-probes',
    kind: 'boolean',
    default: 'true',
    help: "whether the kubelet's probes go through the sidecar's admin port, so that they work under strict mTLS",
  },
  defaultInboundPolicy: {
    flag: '--default-inbound-policy',
    env: 'config.weft.dev/default-inbound-policy',
    kind: 'choice',
    choices: inboundPolicies,
    help: 'who may connect to the workload: everybody (all-unauthenticated, as it is unless set), or only clients with a sidecar, by mesh mTLS (all-authenticated)',
  },
  certificateAuthority: {
    flag: '--certificate-authority',
    env: 'config.weft.dev/certificate-authority',
    kind: 'address',
    help: 'host:port of the CA that certifies the workload in place of the control plane, such as istio-csr; the control plane has to be given its roots',
  },
  certificateAuthorityAudience: {
    flag: '--certificate-authority-audience',
    env: 'config.weft.dev/certificate-authority-audience',
    kind: 'string',
    help: 'audience of the token that the CA is shown; `istio-ca` unless the injector is told another',
  },
  inboundPort: port('inbound', ports.inbound, 'where the sidecar takes what others send to the workload'),
  outboundPort: port('outbound', ports.outbound, 'where the sidecar takes what the workload sends'),
  adminPort: port('admin', ports.sidecarAdmin, "the sidecar's own pages, and the probes that it answers"),
  proxyUid: {
    flag: '--proxy-uid',
    env: 'config.weft.dev/proxy-uid',
    kind: 'integer',
    min: 1,
    max: 2_147_483_647,
    default: String(sidecarUid),
    help: 'the user that the sidecar runs as; no other container may',
  },
  cpuRequest: quantity('proxy-cpu-request', 'CPU that the sidecar is promised, e.g. 100m'),
  cpuLimit: quantity('proxy-cpu-limit', 'CPU that the sidecar may use'),
  memoryRequest: quantity('proxy-memory-request', 'memory that the sidecar is promised, e.g. 64Mi'),
  memoryLimit: quantity('proxy-memory-limit', 'memory that the sidecar may use'),
  ephemeralStorageRequest: quantity('proxy-ephemeral-storage-request', 'disk that the sidecar is promised'),
  ephemeralStorageLimit: quantity('proxy-ephemeral-storage-limit', 'disk that the sidecar may use'),
} as const satisfies SettingsTable
