/** Every setting of the control plane, in one table. */
import { WeftError } from '../core/errors.ts'
import { logLevelSetting } from '../core/log-level-setting.ts'
import { readSettings, type Settings, type SettingsInput, type SettingsTable } from '../core/settings.ts'

export const controlPlaneSettings = {
  config: {
    flag: '--config',
    env: 'WEFT_CONFIG',
    kind: 'path',
    help: 'folder of Kubernetes YAML that describes the mesh; this or --kubernetes',
  },
  kubernetes: {
    flag: '--kubernetes',
    env: 'WEFT_KUBERNETES',
    kind: 'boolean',
    default: 'false',
    help: 'read the mesh from the API server that KUBECONFIG names, or else that of the pod around this process',
  },
  state: {
    flag: '--state',
    env: 'WEFT_STATE',
    kind: 'path',
    help: 'folder for the root key and the token key; with --kubernetes for the token key alone, and only where workloads outside of the cluster need tokens',
  },
  rootSecret: {
    flag: '--root-secret',
    env: 'WEFT_ROOT_SECRET',
    kind: 'string',
    default: 'weft-root',
    help: "Secret that the replicas share the root by, with --kubernetes; in the pod's namespace unless written NAMESPACE/NAME",
  },
  issuerKey: {
    flag: '--issuer-key',
    env: 'WEFT_ISSUER_KEY',
    kind: 'path',
    help: 'key of your own issuer, PEM; with --issuer-certificate and --trust-bundle, in place of a root that weft makes',
  },
  issuerCertificate: {
    flag: '--issuer-certificate',
    env: 'WEFT_ISSUER_CERTIFICATE',
    kind: 'path',
    help: 'its certificate, PEM, followed by those between it and a root of the bundle',
  },
  trustBundle: {
    flag: '--trust-bundle',
    env: 'WEFT_TRUST_BUNDLE',
    kind: 'path',
    help: 'roots that workloads are verified against, PEM; without --issuer-key: those of an external CA, which sidecars ask by --certificate-authority',
  },
  issuerSecret: {
    flag: '--issuer-secret',
    env: 'WEFT_ISSUER_SECRET',
    kind: 'string',
    help: "Secret with your own issuer (tls.key, tls.crt, ca.crt, as cert-manager writes it), with --kubernetes; in the pod's namespace unless written NAMESPACE/NAME",
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
    loopback: true,
    help: 'ADS in clear for stock gRPC clients on this machine; loopback only, off unless set',
  },
  adminAddress: {
    flag: '--admin-address',
    env: 'WEFT_ADMIN_ADDRESS',
    kind: 'address',
    default: '127.0.0.1:9990',
    help: '/live /ready /metrics /findings /services /routes /policies /splits /clients /sidecars /identity /identity/rotate /diagnose /live/mesh /live/stream /live/tap /dashboard/',
  },
  trustDomain: {
    flag: '--trust-domain',
    env: 'WEFT_TRUST_DOMAIN',
    kind: 'domain',
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
    min: 30_000,
    help: 'lifetime of workload certificates',
  },
  logLevel: logLevelSetting,
} as const satisfies SettingsTable

type AllSettings = Settings<typeof controlPlaneSettings>

type IssuerSetting = 'issuerKey' | 'issuerCertificate' | 'trustBundle' | 'issuerSecret'

/** Where the mesh is read from, and with it where the root is kept. */
export type ControlPlaneSource =
  | { readonly kubernetes: false; readonly config: string; readonly state: string }
  | { readonly kubernetes: true; readonly config?: undefined; readonly state: string | undefined }

export type ControlPlaneSettings = Omit<AllSettings, keyof ControlPlaneSource> & ControlPlaneSource

function sourceOf(
  config: string | undefined,
  kubernetes: boolean,
  state: string | undefined,
): ControlPlaneSource {
  const problems: string[] = []
  if (kubernetes) {
    if (config === undefined) return { kubernetes, state }
    problems.push('--config and --kubernetes: only one of them can say what the mesh is')
  } else {
    if (config !== undefined && state !== undefined) return { kubernetes, config, state }
    if (config === undefined) problems.push('--config (or WEFT_CONFIG), or --kubernetes, is required')
    if (state === undefined) problems.push('--state (or WEFT_STATE) is required')
  }
  throw new WeftError('CONFIG_INVALID', 'the settings are not usable', { detail: problems })
}

function checkIssuer(settings: Pick<AllSettings, IssuerSetting>, kubernetes: boolean): void {
  const { issuerKey, issuerCertificate, trustBundle, issuerSecret } = settings
  const problems: string[] = []
  if ((issuerKey === undefined) !== (issuerCertificate === undefined))
    problems.push('--issuer-key and --issuer-certificate: both or none')
  if (issuerKey !== undefined && trustBundle === undefined)
    problems.push('--trust-bundle: it has to hold the root that --issuer-certificate leads to')
  if (issuerSecret !== undefined && (issuerKey !== undefined || trustBundle !== undefined))
    problems.push('--issuer-secret: it holds key, certificate and bundle; the files cannot count, too')
  if (issuerSecret !== undefined && !kubernetes) problems.push('--issuer-secret: only with --kubernetes')
  if (problems.length > 0)
    throw new WeftError('CONFIG_INVALID', 'the settings are not usable', { detail: problems })
}

/** Throws WeftError CONFIG_INVALID with every problem. */
export function readControlPlaneSettings(input: SettingsInput): ControlPlaneSettings {
  const { config, kubernetes, state, ...settings } = readSettings(controlPlaneSettings, input)
  checkIssuer(settings, kubernetes)
  return { ...settings, ...sourceOf(config, kubernetes, state) }
}
