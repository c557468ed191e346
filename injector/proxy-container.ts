/** The sidecar's own container. Pure. */
import { proxyContainerName } from '../api/deployment.ts'
import type { ApplicationProbes } from '../api/application-probe.ts'
import { otherAuthority } from './other-authority.ts'
import { type Container, identityVolumeName, stateVolumeName } from './pod.ts'
import type { PodSettings } from './pod-settings.ts'
import type { SidecarPlan } from './sidecar-plan.ts'
import type { Workload } from './workload.ts'

type Fields = { readonly [field: string]: unknown }

export const identityFolder = '/var/run/weft/identity'
const stateFolder = '/var/run/weft/state'
export const trustBundleFile = 'root-cert.pem'
export const tokenFile = 'token'
/** For a CA beside the control plane. */
export const authorityTokenFile = 'certificate-authority-token'

/** A sidecar that has no identity after so many seconds begins anew. */
const startupFailures = 120
/** Of deploy/sidecar.env. */
const nodeEnvironment = { NODE_OPTIONS: '--max-semi-space-size=4', MALLOC_ARENA_MAX: '1' }

/** The kubelet would take $(NAME) for a variable. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

function fromField(name: string, fieldPath: string): Fields {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}

function environment({ templateHashLabel }: Workload, probes: ApplicationProbes): readonly Fields[] {
  return [
    fromField('WEFT_POD', 'metadata.name'),
    fromField('WEFT_NAMESPACE', 'metadata.namespace'),
    fromField('WEFT_SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    fromField('WEFT_POD_TEMPLATE_HASH', `metadata.labels['${templateHashLabel}']`),
    // The API server copies it from the node since Kubernetes 1.35; before that it is empty.
    fromField('WEFT_ZONE', "metadata.labels['topology.kubernetes.io/zone']"),
    ...Object.entries(nodeEnvironment).map(([name, value]) => ({ name, value })),
    ...(Object.keys(probes).length === 0
      ? []
      : [{ name: 'WEFT_PROBES', value: literal(JSON.stringify(probes)) }]),
  ]
}

function ownerFlag({ owner }: Workload): readonly string[] {
  if (owner === undefined) return []
  return owner.kind === 'deployment'
    ? [`--deployment=${owner.name}`]
    : [`--owner=${owner.kind}/${owner.name}`]
}

function authorityFlags(plan: SidecarPlan, settings: PodSettings): readonly string[] {
  const authority = otherAuthority(plan, settings)
  if (authority === undefined) return []
  return [
    `--certificate-authority=${authority.address}`,
    `--certificate-authority-token-file=${identityFolder}/${authorityTokenFile}`,
  ]
}

function flags(plan: SidecarPlan, settings: PodSettings, workload: Workload): readonly string[] {
  const all = [
    '--mode=redirect',
    `--control-plane=${plan.controlPlane}`,
    `--control-plane-ca=${identityFolder}/${trustBundleFile}`,
    `--token-file=${identityFolder}/${tokenFile}`,
    ...authorityFlags(plan, settings),
    `--trust-domain=${plan.trustDomain}`,
    `--state=${stateFolder}`,
    `--outbound-address=127.0.0.1:${settings.outboundPort}`,
    `--inbound-address=[::]:${settings.inboundPort}`,
    `--admin-address=[::]:${settings.adminPort}`,
    ...ownerFlag(workload),
    ...settings.proxyFlags,
  ]
  return all.map(literal)
}

function adminProbe(path: string, adminPort: number, rest: Fields): Fields {
  return { httpGet: { path, port: adminPort }, ...rest }
}

export function securityContext(uid: number): Fields {
  return {
    runAsUser: uid,
    runAsGroup: uid,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    privileged: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
}

/** Among the init containers the kubelet waits for the startup probe; among the others it waits for the hook. */
function startAndEnd({ nativeSidecar, adminPort }: PodSettings): Fields {
  if (nativeSidecar)
    return {
      restartPolicy: 'Always',
      startupProbe: adminProbe('/ready', adminPort, { periodSeconds: 1, failureThreshold: startupFailures }),
    }
  const wait = ['node', '/weft/await.cjs', `--admin-port=${adminPort}`, `--timeout=${startupFailures}s`]
  return { lifecycle: { postStart: { exec: { command: wait } } } }
}

/** The container; `probes` are the application's, which it is to answer. */
export function proxyContainer(
  plan: SidecarPlan,
  settings: PodSettings,
  workload: Workload,
  probes: ApplicationProbes,
): Container {
  const { adminPort, proxyUid, resources } = settings
  return {
    name: proxyContainerName,
    image: plan.image,
    imagePullPolicy: plan.imagePullPolicy,
    command: ['node', '/weft/proxy.cjs'],
    args: flags(plan, settings, workload),
    env: environment(workload, probes),
    ports: [{ name: 'weft-admin', containerPort: adminPort, protocol: 'TCP' }],
    ...startAndEnd(settings),
    livenessProbe: adminProbe('/live', adminPort, { periodSeconds: 10, timeoutSeconds: 5 }),
    readinessProbe: adminProbe('/ready', adminPort, { periodSeconds: 5, timeoutSeconds: 5 }),
    resources,
    securityContext: securityContext(proxyUid),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: identityVolumeName, mountPath: identityFolder, readOnly: true },
      { name: stateVolumeName, mountPath: stateFolder },
    ],
  }
}
