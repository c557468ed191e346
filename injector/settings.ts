/** Every setting of the injector, in one table. */
import {
  defaultControlPlane,
  defaultImage,
  injectorName,
  trustBundleName,
  weftNamespace,
} from '../api/deployment.ts'
import { ports } from '../api/ports.ts'
import { logLevelSetting } from '../core/log-level-setting.ts'
import { readSettings, type Settings, type SettingsInput, type SettingsTable } from '../core/settings.ts'

export const injectorSettings = {
  webhookAddress: {
    flag: '--webhook-address',
    env: 'WEFT_WEBHOOK_ADDRESS',
    kind: 'address',
    default: `[::]:${ports.webhook}`,
    help: 'where the API server asks, over TLS',
  },
  adminAddress: {
    flag: '--admin-address',
    env: 'WEFT_ADMIN_ADDRESS',
    kind: 'address',
    default: `127.0.0.1:${ports.controlPlaneAdmin}`,
    help: '/live /ready /metrics',
  },
  kubeconfig: {
    flag: '--kubeconfig',
    env: 'KUBECONFIG',
    kind: 'file',
    help: 'where the API server is; unset: the ServiceAccount of the pod around this process',
  },
  namespace: {
    flag: '--namespace',
    env: 'WEFT_NAMESPACE',
    kind: 'name',
    default: weftNamespace,
    help: 'where weft is installed',
  },
  service: {
    flag: '--service',
    env: 'WEFT_SERVICE',
    kind: 'name',
    default: injectorName,
    help: 'the Service by which the API server reaches the webhook; with the namespace, the name in its certificate',
  },
  dnsNames: {
    flag: '--dns-names',
    env: 'WEFT_DNS_NAMES',
    kind: 'list',
    default: '',
    help: 'further names in the certificate',
  },
  webhookConfiguration: {
    flag: '--webhook-configuration',
    env: 'WEFT_WEBHOOK_CONFIGURATION',
    kind: 'string',
    default: injectorName,
    help: 'the MutatingWebhookConfiguration whose caBundle is kept',
  },
  trustBundle: {
    flag: '--trust-bundle',
    env: 'WEFT_TRUST_BUNDLE',
    kind: 'string',
    default: trustBundleName,
    help: 'the ConfigMap in which the control plane publishes what it is trusted by',
  },
  image: {
    flag: '--image',
    env: 'WEFT_IMAGE',
    kind: 'string',
    default: defaultImage,
    help: 'image of the sidecars',
  },
  imagePullPolicy: {
    flag: '--image-pull-policy',
    env: 'WEFT_IMAGE_PULL_POLICY',
    kind: 'choice',
    choices: ['Always', 'IfNotPresent', 'Never'],
    default: 'IfNotPresent',
    help: 'of the sidecars',
  },
  controlPlane: {
    flag: '--control-plane',
    env: 'WEFT_CONTROL_PLANE',
    kind: 'string',
    default: defaultControlPlane,
    help: 'host:port of the control plane, as sidecars reach it',
  },
  trustDomain: {
    flag: '--trust-domain',
    env: 'WEFT_TRUST_DOMAIN',
    kind: 'domain',
    default: 'cluster.local',
    help: 'trust domain of the mesh',
  },
  interception: {
    flag: '--interception',
    env: 'WEFT_INTERCEPTION',
    kind: 'choice',
    choices: ['init', 'cni'],
    default: 'init',
    help: 'who redirects connections where a pod does not say: an init container, or a CNI plugin',
  },
  certificateAuthority: {
    flag: '--certificate-authority',
    env: 'WEFT_CERTIFICATE_AUTHORITY',
    kind: 'address',
    help: 'host:port, as pods reach it, of the CA that certifies workloads in place of the control plane, such as istio-csr',
  },
  certificateAuthorityAudience: {
    flag: '--certificate-authority-audience',
    env: 'WEFT_CERTIFICATE_AUTHORITY_AUDIENCE',
    kind: 'string',
    help: 'audience of the tokens for that CA (default: istio-ca)',
  },
  drainDelay: {
    flag: '--drain-delay',
    env: 'WEFT_DRAIN_DELAY',
    kind: 'durationMs',
    default: '5s',
    help: 'how long it still answers after SIGTERM, while the API server learns of it',
  },
  logLevel: logLevelSetting,
} as const satisfies SettingsTable

export type InjectorSettings = Settings<typeof injectorSettings>

/** Throws WeftError CONFIG_INVALID with every problem. */
export function readInjectorSettings(input: SettingsInput): InjectorSettings {
  return readSettings(injectorSettings, input)
}
