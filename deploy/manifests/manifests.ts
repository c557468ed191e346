/** All of weft in a cluster, in the order in which it is to be made. Pure but for the CRDs, which are files of this folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import {
  controlPlaneName,
  injectorName,
  rootSecretName,
  trustBundleName,
  weftNamespace,
} from '../../api/deployment.ts'
import { ports } from '../../api/ports.ts'
import { type Component, componentManifests, priorityClass } from './component.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { installRecord } from './install-record.ts'
import { clusterWide, inWeft } from './meta.ts'
import { controlPlaneRights, injectorRights, viewerRights } from './roles.ts'
import { webhookConfiguration } from './webhook.ts'

const crdFolder = path.join(import.meta.dirname, '../crds')

function namespace(): Manifest {
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: clusterWide(weftNamespace, restricted) }
}

/** Some clusters (GKE) take pods of such a priority only where a quota allows them; it limits nothing. */
function priorityQuota(): Manifest {
  const matchExpressions = [{ scopeName: 'PriorityClass', operator: 'In', values: [priorityClass] }]
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: inWeft('weft-critical-pods'),
    spec: { hard: { pods: '1G' }, scopeSelector: { matchExpressions } },
  }
}

/** Empty, for the control plane to fill; without data, so that applying them again takes nothing away. */
function stores({ issuerSecret }: InstallOptions): readonly Manifest[] {
  const root = { apiVersion: 'v1', kind: 'Secret', metadata: inWeft(rootSecretName), type: 'Opaque' }
  return [
    // Whoever brings an issuer keeps it, too.
    ...(issuerSecret === undefined ? [root] : []),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: inWeft(trustBundleName) },
  ]
}

function controlPlane({ trustDomain, issuerSecret }: InstallOptions): Component {
  return {
    name: controlPlaneName,
    bundle: 'control-plane',
    args: [
      '--kubernetes',
      `--root-secret=${weftNamespace}/${rootSecretName}`,
      `--grpc-address=[::]:${ports.controlPlaneGrpc}`,
      `--admin-address=[::]:${ports.controlPlaneAdmin}`,
      `--trust-domain=${trustDomain}`,
      `--dns-names=${['', `.${weftNamespace}`, `.${weftNamespace}.svc`, `.${weftNamespace}.svc.cluster.local`]
        .map((suffix) => controlPlaneName + suffix)
        .join(',')}`,
      ...(issuerSecret === undefined ? [] : [`--issuer-secret=${weftNamespace}/${issuerSecret}`]),
    ],
    port: { name: 'grpc', servicePort: ports.controlPlaneGrpc, containerPort: ports.controlPlaneGrpc },
    memoryRequest: '128Mi',
  }
}

function injector({ image, imagePullPolicy, trustDomain, interception }: InstallOptions): Component {
  return {
    name: injectorName,
    bundle: 'injector',
    args: [
      `--webhook-address=[::]:${ports.webhook}`,
      `--admin-address=[::]:${ports.controlPlaneAdmin}`,
      `--image=${image}`,
      `--image-pull-policy=${imagePullPolicy}`,
      `--trust-domain=${trustDomain}`,
      `--interception=${interception}`,
    ],
    port: { name: 'webhook', servicePort: 443, containerPort: ports.webhook },
    memoryRequest: '96Mi',
  }
}

/** Every object of weft but its CRDs. */
export function installManifests(options: InstallOptions): readonly Manifest[] {
  return [
    namespace(),
    installRecord(options),
    priorityQuota(),
    ...stores(options),
    ...controlPlaneRights(options),
    ...injectorRights(),
    ...viewerRights(),
    ...componentManifests(controlPlane(options), options),
    ...componentManifests(injector(options), options),
    webhookConfiguration(options),
  ]
}

/** The files with CRDs, by name. */
export function crdFiles(): readonly string[] {
  if (!existsSync(crdFolder)) return []
  return readdirSync(crdFolder)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
}

export function crdText(file: string): string {
  return readFileSync(path.join(crdFolder, file), 'utf8')
}

export function toYaml(manifests: readonly object[]): string {
  return manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join('---\n')
}
