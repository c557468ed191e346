/** Every setting of the control plane, in one table. */
import { readSettings, type Settings, type SettingsInput, type SettingsTable } from '../core/settings.ts'

export const controlPlaneSettings = {
  config: {
    flag: '--config',
    env: 'WEFT_CONFIG',
    kind: 'path',
    required: true,
    help: 'folder of Kubernetes YAML that describes the mesh',
  },
  state: {
    flag: '--state',
    env: 'WEFT_STATE',
    kind: 'path',
    required: true,
    help: 'folder for the root key and the token key',
  },
  grpcAddress: {
    flag: '--grpc-address',
    env: 'WEFT_GRPC_ADDRESS',
    kind: 'address',
    default: '127.0.0.1:8086',
    help: 'ADS and CA, over TLS',
  },
  insecureXdsAddress: {
    flag: '--insecure-xds-address',
    env: 'WEFT_INSECURE_XDS_ADDRESS',
    kind: 'address',
    help: 'ADS in clear for stock gRPC clients on this machine; loopback only, off unless set',
  },
  adminAddress: {
    flag: '--admin-address',
    env: 'WEFT_ADMIN_ADDRESS',
    kind: 'address',
    default: '127.0.0.1:9990',
    help: '/live /ready /metrics /findings /routes /policies /splits /clients',
  },
  trustDomain: {
    flag: '--trust-domain',
    env: 'WEFT_TRUST_DOMAIN',
    kind: 'string',
    default: 'cluster.local',
    help: 'trust domain of the mesh',
  },
  referenceGrants: {
    flag: '--reference-grants',
    env: 'WEFT_REFERENCE_GRANTS',
    kind: 'choice',
    choices: ['ignored', 'required'],
    default: 'ignored',
    help: 'whether a route needs a ReferenceGrant for a backend in another namespace; a mesh does not ask for one (GEP-1294)',
  },
  dnsNames: {
    flag: '--dns-names',
    env: 'WEFT_DNS_NAMES',
    kind: 'list',
    default: 'weft-control-plane',
    help: 'names and IP addresses in the server certificate, beside localhost and the one of --grpc-address',
  },
  leafLifetime: {
    flag: '--leaf-lifetime',
    env: 'WEFT_LEAF_LIFETIME',
    kind: 'durationMs',
    default: '24h',
    min: 60_000,
    help: 'lifetime of workload certificates',
  },
  logLevel: {
    flag: '--log-level',
    env: 'WEFT_LOG_LEVEL',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    help: 'how much is logged',
  },
} as const satisfies SettingsTable

export type ControlPlaneSettings = Settings<typeof controlPlaneSettings>

/** Throws WeftError CONFIG_INVALID with every problem. */
export function readControlPlaneSettings(input: SettingsInput): ControlPlaneSettings {
  return readSettings(controlPlaneSettings, input)
}
