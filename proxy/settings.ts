/** Every setting of the sidecar, in one table: flags, environment, `--help` and docs/settings.md come from it. */
import { readSettings, type Settings, type SettingsInput, type SettingsTable } from '../core/settings.ts'

export const proxySettings = {
  bootstrap: {
    flag: '--bootstrap',
    env: 'WEFT_BOOTSTRAP',
    kind: 'file',
    help: 'file in the Envoy v3 bootstrap shape (YAML or JSON): listeners and clusters without a control plane, or where it is',
  },
  controlPlane: {
    flag: '--control-plane',
    env: 'WEFT_CONTROL_PLANE',
    kind: 'address',
    help: 'host:port of the control plane (ADS and CA)',
  },
  controlPlaneCa: {
    flag: '--control-plane-ca',
    env: 'WEFT_CONTROL_PLANE_CA',
    kind: 'file',
    help: 'PEM bundle that the control plane is trusted by',
  },
  tokenFile: {
    flag: '--token-file',
    env: 'WEFT_TOKEN_FILE',
    kind: 'path',
    help: 'file with the token that proves who we are',
  },
  namespace: {
    flag: '--namespace',
    env: 'WEFT_NAMESPACE',
    kind: 'string',
    default: 'default',
    help: "the workload's namespace",
  },
  pod: { flag: '--pod', env: 'WEFT_POD', kind: 'string', default: 'local', help: "the pod's name" },
  serviceAccount: {
    flag: '--service-account',
    env: 'WEFT_SERVICE_ACCOUNT',
    kind: 'string',
    default: 'default',
    help: "the workload's service account",
  },
  deployment: {
    flag: '--deployment',
    env: 'WEFT_DEPLOYMENT',
    kind: 'string',
    help: 'label of the metrics',
  },
  podTemplateHash: {
    flag: '--pod-template-hash',
    env: 'WEFT_POD_TEMPLATE_HASH',
    kind: 'string',
    help: 'label of the metrics',
  },
  trustDomain: {
    flag: '--trust-domain',
    env: 'WEFT_TRUST_DOMAIN',
    kind: 'string',
    default: 'cluster.local',
    help: 'trust domain of the mesh',
  },
  mode: {
    flag: '--mode',
    env: 'WEFT_MODE',
    kind: 'choice',
    choices: ['explicit', 'redirect'],
    default: 'explicit',
    help: 'how connections come: explicit addresses and http_proxy, or redirected by iptables',
  },
  outboundAddress: {
    flag: '--outbound-address',
    env: 'WEFT_OUTBOUND_ADDRESS',
    kind: 'address',
    default: '127.0.0.1:4140',
    help: 'where the application reaches its sidecar',
  },
  inboundAddress: {
    flag: '--inbound-address',
    env: 'WEFT_INBOUND_ADDRESS',
    kind: 'address',
    default: '0.0.0.0:4143',
    help: 'where redirected inbound connections arrive (mode redirect)',
  },
  adminAddress: {
    flag: '--admin-address',
    env: 'WEFT_ADMIN_ADDRESS',
    kind: 'address',
    default: '127.0.0.1:4191',
    help: '/live /ready /metrics /config /clusters /logging /shutdown',
  },
  state: {
    flag: '--state',
    env: 'WEFT_STATE',
    kind: 'path',
    help: 'folder for the last known good configuration',
  },
  outboundPolicy: {
    flag: '--outbound-policy',
    env: 'WEFT_OUTBOUND_POLICY',
    kind: 'choice',
    choices: ['allow', 'deny'],
    default: 'allow',
    help: 'what becomes of destinations that the mesh does not know',
  },
  detectTimeout: {
    flag: '--detect-timeout',
    env: 'WEFT_DETECT_TIMEOUT',
    kind: 'durationMs',
    default: '10s',
    help: 'how long a silent client is waited for before its bytes are opaque',
  },
  accessLog: {
    flag: '--access-log',
    env: 'WEFT_ACCESS_LOG',
    kind: 'choice',
    choices: ['off', 'json', 'apache'],
    default: 'off',
    help: 'one line per exchange',
  },
  zipkinUrl: {
    flag: '--zipkin-url',
    env: 'WEFT_ZIPKIN_URL',
    kind: 'string',
    help: 'Zipkin collector, e.g. http://host:9411/api/v2/spans',
  },
  traceSampling: {
    flag: '--trace-sampling',
    env: 'WEFT_TRACE_SAMPLING',
    kind: 'number',
    min: 0,
    max: 1,
    default: '0.01',
    help: 'share of the traces begun here that are sampled',
  },
  drainDelay: {
    flag: '--drain-delay',
    env: 'WEFT_DRAIN_DELAY',
    kind: 'durationMs',
    default: '5s',
    help: 'how long new connections are still taken after SIGTERM, while the mesh learns of it',
  },
  drainDeadline: {
    flag: '--drain-deadline',
    env: 'WEFT_DRAIN_DEADLINE',
    kind: 'durationMs',
    default: '30s',
    help: 'when what is still in flight is cut',
  },
  logLevel: {
    flag: '--log-level',
    env: 'WEFT_LOG_LEVEL',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    help: 'also changed at run time by POST /logging',
  },
} as const satisfies SettingsTable

export type ProxySettings = Settings<typeof proxySettings>

/** Throws WeftError CONFIG_INVALID with every problem. */
export function readProxySettings(input: SettingsInput): ProxySettings {
  return readSettings(proxySettings, input)
}
